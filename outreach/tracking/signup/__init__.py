"""Sign-up on a website, with double opt-in: nobody is written to who did not confirm (B1, H4)."""
