"""Music by genre: melodies made by stated rules, nets that write them when told the genre, and who judges them.

Section P.4. The names of the files are imported from here:

- `genres`: the rules of five genres; melodies drawn by them, how probable they are, which rules they break;
- `writing`: what the nets of `companion.context` and counted k-grams write, and the nets stored;
- `judging`: a classifier that hears no rules, and what is copied;
- `sound`: melodies as frequencies and samples.

The nets are those of Section 10.2.4 (`companion.context`), and so are their twins for PyTorch.
"""

from companion.music.genres import (
    BARS,
    BEATS,
    GENRES,
    HOLD,
    LOWEST,
    NAMES,
    PITCHES,
    REST,
    SYMBOLS,
    TAU,
    Faults,
    Genre,
    draw_melody,
    faults,
    home,
    ladder,
    lesson,
    melody_logp,
    next_pitch,
    notes,
    pitches,
    rhythm,
)
from companion.music.judging import Judge, copied, distinct, heard, heard_as, judge_fit
from companion.music.sound import frequency, tones
from companion.music.writing import (
    KINDS,
    Stored,
    context_of,
    counted,
    counted_bits,
    counted_melodies,
    melody_bits,
    of_torch,
    stored_melody_nets,
    tempered,
    written,
)

__all__ = [
    "BARS",
    "BEATS",
    "GENRES",
    "HOLD",
    "KINDS",
    "LOWEST",
    "NAMES",
    "PITCHES",
    "REST",
    "SYMBOLS",
    "TAU",
    "Faults",
    "Genre",
    "Judge",
    "Stored",
    "context_of",
    "copied",
    "counted",
    "counted_bits",
    "counted_melodies",
    "distinct",
    "draw_melody",
    "faults",
    "frequency",
    "heard",
    "heard_as",
    "home",
    "judge_fit",
    "ladder",
    "lesson",
    "melody_bits",
    "melody_logp",
    "next_pitch",
    "notes",
    "of_torch",
    "pitches",
    "rhythm",
    "stored_melody_nets",
    "tempered",
    "tones",
    "written",
]
