"""Deep recurrent networks: three ways to put more layers between two steps. Section 10.5.

- `stacked`: (a) the state in a hierarchy, recurrent layers on top of each other (`stacked_*`);
- `blocks`: (b) an MLP inside each of the three blocks, (c) with a skip connection past the middle one (`blocks_*`);
- `paths`: the three as circuits, and the lengths of the paths in their unfolded graphs;
- `flow`: Jacobians of (b) and (c), step by step and by path length.

NumPy float64, one sequence, no batch axis. `ways` (import it by name) holds the nets that are compared, and
their torch twins.
"""

from companion.deep.blocks import (
    Blocks,
    BlocksRun,
    Dense,
    blocks_bptt,
    blocks_forward,
    blocks_init,
)
from companion.deep.flow import blocks_jacobians, jacobian_by_length
from companion.deep.paths import (
    blocks_circuit,
    layers_on,
    parameters,
    path_lengths,
    rebuilt,
    shortest_path,
    stacked_circuit,
    stated_length,
)
from companion.deep.stacked import (
    Stacked,
    StackedRun,
    stacked_bptt,
    stacked_forward,
    stacked_from_torch,
    stacked_init,
    stacked_to_torch,
)

__all__ = [
    "Blocks",
    "BlocksRun",
    "Dense",
    "Stacked",
    "StackedRun",
    "blocks_bptt",
    "blocks_circuit",
    "blocks_forward",
    "blocks_init",
    "blocks_jacobians",
    "jacobian_by_length",
    "layers_on",
    "parameters",
    "path_lengths",
    "rebuilt",
    "shortest_path",
    "stacked_bptt",
    "stacked_circuit",
    "stacked_forward",
    "stacked_from_torch",
    "stacked_init",
    "stacked_to_torch",
    "stated_length",
]
