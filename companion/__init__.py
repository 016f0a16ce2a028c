"""Reference implementations for an executable edition of *Sequence Modeling: Recurrent and Recursive Nets*.

One module per idea, one notebook per section:

========  =====================  =====================================================
section   module                 notebook
========  =====================  =====================================================
all       `functions`            ``book/notation.md``
10.1      `unfolding`            ``book/10_01_unfolding.ipynb``
10.1      `sharing`              ``book/10_01_unfolding.ipynb``
10.2      `recurrent`            ``book/10_02_recurrent.ipynb``
10.2      `turing`               ``book/10_02_recurrent.ipynb``
10.2.1    `forcing`              ``book/10_02_1_teacher_forcing.ipynb``
10.2.2    `recurrent`            ``book/10_02_2_gradient.ipynb``
10.2.3    `graphical`            ``book/10_02_3_graphical.ipynb``
10.2.4    `context`              ``book/10_02_4_context.ipynb``
10.3      `bidirectional`        ``book/10_03_bidirectional.ipynb``
10.4      `seq2seq`              ``book/10_04_seq2seq.ipynb``
10.5      `deep`                 ``book/10_05_deep.ipynb``
10.6      `recursive`            ``book/10_06_recursive.ipynb``
10.7      `longterm`             ``book/10_07_longterm.ipynb``
10.8      `reservoir`            ``book/10_08_echo_state.ipynb``
10.9      `timescales`           ``book/10_09_timescales.ipynb``
10.10     `gated`                ``book/10_10_gated.ipynb``
10.10     `lstm`, `gru`          ``book/10_10_gated.ipynb``, ``book/pytorch_names.ipynb``
10.11     `optimization`         ``book/10_11_optimization.ipynb``
10.12     `clockwork`            ``book/10_12_multiple_scales.ipynb``
10.13     `memory`               ``book/10_13_explicit_memory.ipynb``
all       `tasks`, `training`    data, and the one training loop
all       `plotting`             the look of every static picture
all       `explorables`          ``book/figures.ipynb``
========  =====================  =====================================================

Every public function refuses what the lines of its parameters exclude (another shape or type, NaN or infinity, an
empty sequence, a number outside its range, an unknown option) with a `ValueError` that names the argument, what came
and what was wanted. A docstring says only what is raised beyond that.

Importing this package imports no part of it, so a section's NumPy part never waits for PyTorch.
"""

__version__ = "0.1.0"
