"""One recurrent cell a file: its parameters, one step written as its equations, and the same step backward.

`companion.core.scan` carries any of them through a sequence and gradients back. `interop` takes weights to PyTorch
and back.
"""
