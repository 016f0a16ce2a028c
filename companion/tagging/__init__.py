"""Tagging and classification: what each word of a line is, and whose voice a sequence is.

Section P.3. All names are imported from here; they live in small files:

- `corpus`: lines of Python's own source files, every name with its tag; vocabulary, counted and windowed baselines;
- `padding`: sequences of different lengths in one array, and the masks that keep the padding out, in NumPy;
- `nets`: the nets that are trained, with lengths handled right and wrong;
- `vowels`: real speech of nine speakers, and classifiers without a net.
"""

from companion.tagging.corpus import (
    PARTS,
    TAGS,
    UNTAGGED,
    Line,
    coded,
    library_lines,
    most_frequent_tag,
    spelling,
    tag_source,
    vocabulary,
    window_places,
)
from companion.tagging.nets import READINGS, SIDES, class_logits, classifier, tag_logits, tagger
from companion.tagging.padding import last_states, mask_of, masked_birnn, masked_loss, masked_mean, pad
from companion.tagging.vowels import (
    Spoken,
    dtw_distances,
    dtw_path,
    folds,
    japanese_vowels,
    nearest,
    resampled,
    standardised,
    statistics,
)

__all__ = [
    "PARTS",
    "READINGS",
    "SIDES",
    "TAGS",
    "UNTAGGED",
    "Line",
    "Spoken",
    "class_logits",
    "classifier",
    "coded",
    "dtw_distances",
    "dtw_path",
    "folds",
    "japanese_vowels",
    "last_states",
    "library_lines",
    "mask_of",
    "masked_birnn",
    "masked_loss",
    "masked_mean",
    "most_frequent_tag",
    "nearest",
    "pad",
    "resampled",
    "spelling",
    "standardised",
    "statistics",
    "tag_logits",
    "tag_source",
    "tagger",
    "vocabulary",
    "window_places",
]
