"""From a template to the bytes of one message."""
