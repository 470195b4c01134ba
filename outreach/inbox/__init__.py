"""What comes back is fetched, understood and matched to what was sent."""
