"""Small stories, questions about them, and the sentences that hold the answer (Section 10.13).

People walk from place to place and pick things up; a thing is where the one is who picked it up last. The words and
the templates are our own. Every sentence has five words and every question four, so stories of equal numbers of
sentences stack into arrays without padding. Some pairs of a person and a place are kept out of training.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np

from companion.core.checks import Count, checked, integer

__all__ = [
    *("PEOPLE", "PLACES", "THINGS", "WORDS", "Stories"),
    *("bags", "draw_stories", "read", "solve", "tell"),
]

PEOPLE = ("ada", "ben", "cleo", "dan", "eve", "finn")
PLACES = ("attic", "barn", "cellar", "den", "garden", "hall")
THINGS = ("apple", "book", "coin", "drum", "kite", "lamp")
FILLERS = ("the", "walks", "to", "picks", "up", "where", "is", "now")
WORDS = (*PLACES, *PEOPLE, *THINGS, *FILLERS)
"""Every word; the places come first, so that a place's code is also its class."""
CODE = {word: i for i, word in enumerate(WORDS)}
PERSON, THING = CODE[PEOPLE[0]], CODE[THINGS[0]]
SLOTS = {"PERSON": PEOPLE, "PLACE": PLACES, "THING": THINGS}
MOVE, TAKE = "PERSON walks to the PLACE", "PERSON picks up the THING"
QUESTIONS = {1: "where is PERSON now", 2: "where is the THING"}
"""Questions by the number of facts that they need."""
WALKS = CODE["walks"]


class Stories(NamedTuple):
    """Stories of m sentences, one a row: codes of words, the answer's class, and where its facts stand.

    words (n, m, 5), question (n, 4), answer (n,) in 0 … 5, facts (n, 2): the sentence to look up first and then;
    a question that needs one fact has the same one twice.
    """

    words: np.ndarray
    question: np.ndarray
    answer: np.ndarray
    facts: np.ndarray


def _fill(template: str, **slots: np.ndarray) -> np.ndarray:
    shape = next(iter(slots.values())).shape
    return np.stack([slots[w] if w in slots else np.full(shape, CODE[w]) for w in template.split()], axis=-1)


def _known(name: str, codes: np.ndarray) -> np.ndarray:
    if (strange := codes[(codes % 1 != 0) | (codes < 0) | (codes >= len(WORDS))]).size:
        raise ValueError(f"{name}: want codes of words, 0 … {len(WORDS) - 1}, got {strange[0]:g}")
    return codes.astype(np.int64)


@checked
def solve(
    words: Annotated[np.ndarray, "n", "m", 5, _known], question: Annotated[np.ndarray, "n", 4, _known]
) -> tuple[np.ndarray, np.ndarray]:
    """Where the facts stand that answer each question (−1: the story does not say), and the answers.

    The second fact is the last walk of the person; the first one is the last pick-up of the thing, or, if the
    question names a person, the same walk. Codes `words` (n, m, 5) and `question` (n, 4) give facts (n, 2) and
    answers (n,), which are meaningless where a fact is −1.
    """
    m, asked = words.shape[1], question.max(axis=1, where=question < CODE["the"], initial=0)

    def last(hit: np.ndarray) -> np.ndarray:
        return np.where(hit.any(axis=1), m - 1 - hit[:, ::-1].argmax(axis=1), -1)

    rows, thing = np.arange(len(words)), asked >= THING
    taken = last(words[:, :, 4] == asked[:, None])
    who = np.where(thing, words[rows, taken, 0], asked)
    walk = last((words[:, :, 0] == who[:, None]) & (words[:, :, 1] == WALKS))
    facts = np.stack([np.where(thing, taken, walk), walk], axis=1)
    facts[(facts < 0).any(axis=1)] = -1
    return facts, words[rows, walk, 4]


@checked
def draw_stories(
    n: Count, sentences: int, rng: np.random.Generator, needs: Literal[1, 2] = 2, held: bool = False
) -> Stories:
    """Draw n stories of so many sentences, at least as many as `needs`, with a question that they answer.

    A sentence is a walk or a pick-up with equal chance. Person i never walks to place i, unless `held`: then the
    fact that answers the question is just such a walk, a pair that no training story holds.

    Parameters
    ----------
    needs : facts that the answer needs: 1 (where is a person) or 2 (where is a thing).
    held : put the answer at the held-out pair.

    Reference: weston2015
    """
    m = integer("sentences", sentences, needs)
    parts: list[Stories] = []
    while sum(len(s.answer) for s in parts) < n:
        who = rng.integers(0, len(PEOPLE), (2 * n, m))
        place = (who + rng.integers(1, len(PLACES), who.shape)) % len(PLACES)
        thing = THING + rng.integers(0, len(THINGS), who.shape)
        walks = _fill(MOVE, PERSON=PERSON + who, PLACE=place)
        takes = _fill(TAKE, PERSON=PERSON + who, THING=thing)
        words = np.where(rng.random(who.shape)[:, :, None] < 0.5, walks, takes)
        about = words[np.arange(2 * n), rng.integers(0, m, 2 * n)]  # a sentence that the question is about
        question = _fill(QUESTIONS[1], PERSON=about[:, 0]) if needs == 1 else _fill(QUESTIONS[2], THING=about[:, 4])
        facts, answer = solve(words, question)
        ok = facts[:, 0] >= 0
        parts.append(Stories(words[ok], question[ok], answer[ok], facts[ok]))
    words, question, answer, facts = (np.concatenate(v)[:n] for v in zip(*parts, strict=True))
    if held:
        rows = np.arange(n)
        answer = words[rows, facts[:, 1], 0] - PERSON
        words[rows, facts[:, 1], 4] = answer
    return Stories(words, question, answer, facts)


def bags(words: np.ndarray) -> np.ndarray:
    """Sentences as counts of words: order within a sentence is lost, which is harmless here.

    Codes (…, length of a sentence) become counts (…, words of the vocabulary).
    """
    words = np.asarray(words)
    if words.ndim < 1 or words.size == 0:
        raise ValueError(f"words: want at least one sentence, got shape {words.shape}")
    if words.dtype.kind not in "iu" or (words < 0).any() or (words >= len(WORDS)).any():
        raise ValueError(f"words: want codes in 0 … {len(WORDS) - 1}, got {np.unique(words)[[0, -1]].tolist()}")
    return np.eye(len(WORDS))[words].sum(axis=-2)


def _fits(tokens: list[str], template: list[str]) -> bool:
    return len(tokens) == len(template) and all(t in SLOTS.get(w, (w,)) for t, w in zip(tokens, template, strict=True))


def _codes(name: str, text: str, templates: Sequence[str]) -> list[int]:
    if not isinstance(text, str):
        raise ValueError(f"{name}: want text, got {type(text).__name__}")
    tokens = text.lower().strip(" .?").split()
    for token in tokens:
        if token not in CODE:
            raise ValueError(
                f"{name}: want words of this world, got {token!r} in {text!r}; it knows {', '.join(WORDS)}"
            )
    if not any(_fits(tokens, template.split()) for template in templates):
        raise ValueError(f"{name}: want a sentence like {' or '.join(map(repr, templates))}, got {text!r}")
    return [CODE[t] for t in tokens]


def read(sentences: Sequence[str], question: str) -> Stories:
    """One story of your own, as `Stories` with n = 1.

    Parameters
    ----------
    sentences : such as "ada walks to the barn" and "ada picks up the lamp".
    question : "where is ada now" or "where is the lamp".
    """
    if isinstance(sentences, str) or len(sentences) == 0:
        raise ValueError(f"sentences: want a list of at least one sentence, got {sentences!r}")
    words = np.array([[_codes("sentences", s, (MOVE, TAKE)) for s in sentences]])
    ask = np.array([_codes("question", question, tuple(QUESTIONS.values()))])
    facts, answer = solve(words, ask)
    if facts[0, 0] < 0:
        raise ValueError(f"question: want one that the story answers, got {question!r}")
    return Stories(words, ask, answer, facts)


def tell(stories: Stories, i: int = 0) -> tuple[list[str], str, str]:
    """Story i in words: its sentences, its question and its answer."""
    i = integer("i", i, 0, len(stories.answer) - 1)
    said = [" ".join(WORDS[w] for w in row) for row in (*stories.words[i], stories.question[i])]
    return said[:-1], said[-1], PLACES[stories.answer[i]]
