"""Bidirectional recurrent networks: the past and the future of every step.

Section 10.3. All names are imported from here; they live in small files:

- `nets`: h from the left, g from the right, outputs from both, loss and gradient (`birnn_*`), and outputs that
  must guess their own input (`cloze_forward`);
- `sensitivity`: how strongly each output depends on each input, exactly;
- `images`: the same idea in two dimensions, with four directions;
- `cloze`: guessing a hidden character, by nets and by counted tables, and the nets that were trained on it;
- `interop`: weights to and from PyTorch.

Times: `h[t]` is h⁽ᵗ⁾ as in Section 10.2. `g[t − 1]` is g⁽ᵗ⁾, so its last row is g⁽τ⁺¹⁾, where it starts.
"""

from companion.bidirectional.cloze import (
    SIDES,
    cloze_bits,
    cloze_net,
    cloze_numpy,
    counted_bits,
    stored_cloze_nets,
)
from companion.bidirectional.images import CORNERS, Grid, context_states, grid_init, grid_states, ridge
from companion.bidirectional.interop import birnn_from_torch, birnn_to_torch
from companion.bidirectional.nets import (
    BiRNN,
    BiRun,
    birnn_bptt,
    birnn_forward,
    birnn_init,
    birnn_loss,
    cloze_forward,
    halves,
    join,
)
from companion.bidirectional.sensitivity import DIRECTIONS, input_jacobian, sensitivity

__all__ = [
    "CORNERS",
    "DIRECTIONS",
    "SIDES",
    "BiRNN",
    "BiRun",
    "Grid",
    "birnn_bptt",
    "birnn_forward",
    "birnn_from_torch",
    "birnn_init",
    "birnn_loss",
    "birnn_to_torch",
    "cloze_bits",
    "cloze_forward",
    "cloze_net",
    "cloze_numpy",
    "context_states",
    "counted_bits",
    "grid_init",
    "grid_states",
    "halves",
    "input_jacobian",
    "join",
    "ridge",
    "sensitivity",
    "stored_cloze_nets",
]
