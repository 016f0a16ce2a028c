"""What every module stands on: elementwise functions and clear errors."""
