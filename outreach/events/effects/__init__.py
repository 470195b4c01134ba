"""One file a happening: (event, facts) to changes, pure."""
