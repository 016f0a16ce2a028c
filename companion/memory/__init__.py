"""Explicit memory: facts in cells of their own, looked up and written on purpose (Section 10.13).

- `stories`: little stories with questions, from a grammar of our own;
- `hops`: a memory network for one question, forward and backward by hand;
- `addressing`: where a head of a Neural Turing Machine looks, and how it reads, erases and adds;
- `drills`: sequences to copy, and items to recall;
- `network`, `machine`: the nets for PyTorch, to train them (the only files that import torch; import them by name).
"""

from companion.memory.addressing import (
    Head,
    Weightings,
    address,
    address_by_content,
    cosine,
    gate,
    memory_read,
    memory_write,
    multiplications,
    sharpen,
    shift,
)
from companion.memory.drills import Drill, copying, recalling
from companion.memory.hops import Hop, HopGrad, Memory, Thought, hard_hop, memory_grad, soft_hop, soft_hop_grad, think
from companion.memory.stories import PEOPLE, PLACES, THINGS, WORDS, Stories, bags, draw_stories, read, solve, tell

__all__ = [
    "PEOPLE",
    "PLACES",
    "THINGS",
    "WORDS",
    "Drill",
    "Head",
    "Hop",
    "HopGrad",
    "Memory",
    "Stories",
    "Thought",
    "Weightings",
    "address",
    "address_by_content",
    "bags",
    "copying",
    "cosine",
    "draw_stories",
    "gate",
    "hard_hop",
    "memory_grad",
    "memory_read",
    "memory_write",
    "multiplications",
    "read",
    "recalling",
    "sharpen",
    "shift",
    "soft_hop",
    "soft_hop_grad",
    "solve",
    "tell",
    "think",
]
