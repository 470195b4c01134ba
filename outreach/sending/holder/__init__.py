"""Who holds a lease: a process, recognisable on its own machine."""
