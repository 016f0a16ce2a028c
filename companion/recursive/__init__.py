"""Recursive nets: a tree instead of a chain (Section 10.6).

- `trees`: chains, balanced trees, drawn trees, and their depth;
- `expressions`: formulas and arithmetic, with Python's own parser as the parser;
- `nets`: one composition at every merge, plain or with a tensor; its gradient; batching by depth;
- `trials`: what the nets are tried on, and the nets that were stored (import it by name);
- `modules`: the same nets for PyTorch, to train them (the only file that imports torch; import it by name).
"""

from companion.recursive.expressions import (
    ALPHABETS,
    CLASSES,
    Expression,
    draw_expression,
    label,
    parse,
    pending,
    symbols,
)
from companion.recursive.nets import (
    Plan,
    RecursiveNet,
    TensorNet,
    TreeRun,
    forward,
    forward_by_depth,
    loss,
    net_init,
    plan_by_depth,
    structure_backprop,
)
from companion.recursive.trees import Tree, balanced, chain, checked_tree, depth, drawn, heights, spans, tree_of

__all__ = [
    "ALPHABETS",
    "CLASSES",
    "Expression",
    "Plan",
    "RecursiveNet",
    "TensorNet",
    "Tree",
    "TreeRun",
    "balanced",
    "chain",
    "checked_tree",
    "depth",
    "draw_expression",
    "drawn",
    "forward",
    "forward_by_depth",
    "heights",
    "label",
    "loss",
    "net_init",
    "parse",
    "pending",
    "plan_by_depth",
    "spans",
    "structure_backprop",
    "symbols",
    "tree_of",
]
