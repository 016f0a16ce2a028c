"""Tasks, texts and what training stored."""
