"""Who got what, when, with which answer; counts."""
