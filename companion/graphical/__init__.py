"""Recurrent networks as directed graphical models: joints, tables, chains and endings.

Section 10.2.3. All names are imported from here; they live in small files:

- `joints`: a net, or a drawn table, as a distribution over whole sequences: enumerated, sampled, its edges measured;
- `tables`: what a table costs, and the k-gram tables that are counted from text;
- `chains`: the time-series model with potentials θ(y⁽ᵗ⁾) + θ(y⁽ᵗ⁻¹⁾, y⁽ᵗ⁾): exact sums, exact maximum, learning;
- `endings`: three ways to say that a sequence is over, and the lengths that they give;
- `prose`: the nets that were trained on real text, to be held against tables.

Symbols are the integers 0 … k − 1, a sequence is an array of τ of them. `companion.search` looks for the likeliest.
"""

from companion.graphical.chains import (
    Beliefs,
    Chain,
    ChainWeights,
    chain_fit,
    chain_of,
    chain_sample,
    chain_score,
    max_product,
    sum_product,
)
from companion.graphical.endings import (
    EndSymbol,
    Foretold,
    Halt,
    length_distribution,
    write,
)
from companion.graphical.joints import (
    influence,
    joint,
    marginals,
    product_of_marginals,
    rnn_next,
    sample,
    sequences,
    table_model,
    total_correlation,
)
from companion.graphical.prose import SKIP, held_out_nats, prose_net, stored_prose_nets
from companion.graphical.tables import (
    KGram,
    kgram_fit,
    kgram_logp,
    kgram_sample,
    markov_parameters,
    rnn_logp,
    rnn_parameters,
    table_parameters,
)

__all__ = [
    "SKIP",
    "Beliefs",
    "Chain",
    "ChainWeights",
    "EndSymbol",
    "Foretold",
    "Halt",
    "KGram",
    "chain_fit",
    "chain_of",
    "chain_sample",
    "chain_score",
    "held_out_nats",
    "influence",
    "joint",
    "kgram_fit",
    "kgram_logp",
    "kgram_sample",
    "length_distribution",
    "marginals",
    "markov_parameters",
    "max_product",
    "product_of_marginals",
    "prose_net",
    "rnn_logp",
    "rnn_next",
    "rnn_parameters",
    "sample",
    "sequences",
    "stored_prose_nets",
    "sum_product",
    "table_model",
    "table_parameters",
    "total_correlation",
    "write",
]
