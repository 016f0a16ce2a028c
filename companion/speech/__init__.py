"""A speech generator: a net that learns a text character by character, and writes more of it (Section P.1).

- `prose`: the text, its three parts, the places where models are judged, and the tables that they are held against;
- `nets`: the recipe of a lecture, and a better one with parallel streams and a carried state (PyTorch);
- `writer`: a net small enough to write in a page, its random numbers, its temperature;
- `reading`: what its units hold, judged on text that it was not chosen on;
- `command`: `python -m companion.speech train` and `sample`.
"""
