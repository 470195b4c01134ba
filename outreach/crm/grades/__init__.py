"""How valuable a customer is: A to D, revised each quarter."""
