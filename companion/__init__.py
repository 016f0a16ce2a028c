"""Reference implementations for an executable edition of *Sequence Modeling: Recurrent and Recursive Nets*.

The modules of each section, and its page::

    10.1    unfolding                           book/10_01_unfolding.ipynb
    10.2    recurrent, turing, cells.rnn        book/10_02_recurrent.ipynb
    10.2.1  forcing, cells.output               book/10_02_1_teacher_forcing.ipynb
    10.2.2  recurrent                           book/10_02_2_gradient.ipynb
    10.2.3  graphical                           book/10_02_3_graphical.ipynb
    10.2.4  context                             book/10_02_4_context.ipynb
    10.3    bidirectional                       book/10_03_bidirectional.ipynb
    10.4    seq2seq                             book/10_04_seq2seq.ipynb
    10.5    deep                                book/10_05_deep.ipynb
    10.6    recursive                           book/10_06_recursive.ipynb
    10.7    longterm                            book/10_07_longterm.ipynb
    10.8    reservoir, cells.echo               book/10_08_echo_state.ipynb
    10.9    timescales, cells.leaky             book/10_09_timescales.ipynb
    10.10   gated, cells.lstm, cells.gru        book/10_10_gated.ipynb
    10.11   optimization                        book/10_11_optimization.ipynb
    10.12   multiscale, cells.clockwork         book/10_12_multiple_scales.ipynb
    10.13   memory                              book/10_13_explicit_memory.ipynb
    10.13.2 memory.addressing, memory.machine   book/10_13_2_tape.ipynb
    P.1     speech                              book/practice/speech.ipynb
    P.2     forecasting                         book/practice/forecasting.ipynb
    P.3     tagging                             book/practice/tagging.ipynb
    P.4     music                               book/practice/music.ipynb
    P.5     linear                              book/practice/epilogue.ipynb

Below them stand `core` (functions, checks, parameter trees, scans), `cells` (one file a recurrent cell), `data` (tasks,
texts, what training stored), `search` and `training`; above them `figures`, `studies` (what is trained by a command)
and `notebooks` (the tool that runs and stores the pages). A module knows what stands below it and earlier sections.

Every public function refuses what the lines of its parameters exclude (another shape or type, NaN or infinity, an
empty sequence, a number outside its range, an unknown option) with a `ValueError` that names the argument, what came
and what was wanted. A docstring says only what is raised beyond that.

Importing this package imports no part of it, so a section's NumPy part never waits for PyTorch.
"""

__version__ = "0.1.0"
DISTRIBUTION = "sequence-modeling-companion"  # what is installed; a `companion` without it is a stranger's
