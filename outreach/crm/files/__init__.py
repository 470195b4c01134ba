"""Files in customers' folders, their bytes kept once."""
