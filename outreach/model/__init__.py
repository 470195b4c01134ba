"""The nouns: tables, enums and value types, with no behaviour that touches the world."""
