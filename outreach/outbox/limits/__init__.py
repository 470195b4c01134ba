"""Limits that are counted in the transaction of the hand-over: a provider's quota, a domain, a person, a customer."""
