"""One recurrent cell a file."""
