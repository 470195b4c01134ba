"""Reports of violations (H3): by staff and by outsiders, without who reported it."""
