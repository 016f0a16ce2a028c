"""What makes the published page light: mathematics set beforehand, and no byte of the theme that is not used.

Needed to build the book, not to run it: its tools are installed with the extra ``publish``.
"""
