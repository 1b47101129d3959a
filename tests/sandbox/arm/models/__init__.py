"""State and rules, apart from the wire."""
