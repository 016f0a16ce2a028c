"""What is trained by a command."""
