"""Who a segment holds, with all that decides whether to write."""
