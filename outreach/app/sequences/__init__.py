"""Sequences (跟进序列): who comes in, whose next step is due, and what people do with them."""
