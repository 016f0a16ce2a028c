"""What makes the published page light, and read as in print wherever it is opened.

Mathematics is set beforehand, no byte of the theme is there that is not used, and numbers and citations stand in the
stored notebooks. Needed to store and build the book, not to run it: its tools are installed with the extra ``publish``.
"""
