"""Section 10.1."""
