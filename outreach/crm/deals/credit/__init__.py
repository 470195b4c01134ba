"""Which campaign a deal came from."""
