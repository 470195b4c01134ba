"""Orders: what customers bought, from the ERP's list or by hand."""
