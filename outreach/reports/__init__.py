"""What it came to: figures from marks and roll-ups, compared fairly, with findings, as page, mail, sheet and paper."""
