"""What a monitoring system asks of sending."""
