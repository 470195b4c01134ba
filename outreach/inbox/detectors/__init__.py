"""One detector a file, each with real samples and counter-samples."""
