"""Tables that people edit: regions, headers, free-mail providers."""
