"""Encoder–decoder: read a sequence, write another one of another length (Section 10.4).

- `dates`: the pair of languages that is learned, dates in words and in ISO form, from a grammar of our own;
- `lookback`: attention;
- `model`: reader, context and writer, one step at a time;
- `judging`: lines without a mistake, attention on the right word;
- `reach`: where the gradient of one symbol goes;
- `writing`: the writer without a teacher, as `companion.search` asks it: greedily, with a beam, for every line.

NumPy float64, one pair, no batch axis. `twin` (import it by name) holds the net for PyTorch and the stored ones.
"""

from companion.seq2seq.dates import (
    END,
    FORMS,
    SYMBOLS,
    WORDS,
    Pairs,
    alignment,
    draw_pairs,
    held_out,
    read,
    spell,
    write,
)
from companion.seq2seq.judging import exact_match, judged, peak_share
from companion.seq2seq.lookback import additive_attention, attention
from companion.seq2seq.model import (
    WAYS,
    Read,
    Seq2Seq,
    Written,
    encode,
    log_probability,
    seq2seq_init,
    start,
    write_forced,
    write_step,
)
from companion.seq2seq.reach import Reach, symbol_reach
from companion.seq2seq.writing import Writing, writer

__all__ = [
    "END",
    "FORMS",
    "SYMBOLS",
    "WAYS",
    "WORDS",
    "Pairs",
    "Reach",
    "Read",
    "Seq2Seq",
    "Writing",
    "Written",
    "additive_attention",
    "alignment",
    "attention",
    "draw_pairs",
    "encode",
    "exact_match",
    "held_out",
    "judged",
    "log_probability",
    "peak_share",
    "read",
    "seq2seq_init",
    "spell",
    "start",
    "symbol_reach",
    "write",
    "write_forced",
    "write_step",
    "writer",
]
