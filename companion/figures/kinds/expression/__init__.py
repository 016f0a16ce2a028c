"""Type an expression, see a tree over its tokens, and watch the values rise; computed in the page, held by tests."""

from typing import Any

from companion import recursive
from companion.core import checks as check
from companion.figures.base import Explorable
from companion.figures.controls import Choice, Range, Text

__all__ = ["ExpressionTree"]

LONGEST = 48  # characters, hence tokens
TREES = ("parse", "balanced", "chain")
GOAL = "find an expression with at least four operators for which the chain never carries more than two symbols."


class ExpressionTree(Explorable):
    """An expression of your own and three trees over it (Section 10.6); see `companion.recursive.parse`.

    Traits: ``text``, ``tree`` ("parse", "balanced" or "chain"), ``step`` (merges done). A text that cannot be parsed
    leaves the last good tree, in grey, and the read-out says what is wrong and where.

    Raises
    ------
    ValueError
        If the text cannot be parsed or is longer than 48 characters, the example likewise, or there is no such tree.
    """

    def __init__(
        self,
        name: str = "expression",
        *,
        text: str = "not (True and False) or False",
        example: str = "2 * (3 - 5) + 7 / 2",
        tree: str = "parse",
        title: str = "Watch the values rise",
        caption: str = "Squares: the tokens as typed. Green: nodes that cover a whole expression, with its value. "
        "Grey: nodes that cover a fragment, with what is left once everything inside is computed.",
    ) -> None:
        for typed in (example, text):
            parsed = recursive.parse(typed)
            check.integer("characters of the text", len(typed), 1, LONGEST)
        controls = [
            Text("text", "expression", text, example, LONGEST),
            Choice("tree", list(TREES), "tree", check.choice("tree", tree, TREES)),
            Range("step", 0, LONGEST, 1, "step", len(parsed.tree.merges), play=800),
        ]
        super().__init__(name, controls, {}, title=title, caption=caption, goals=(GOAL,))

    def picture(self) -> Any:
        """A matplotlib figure of the current state, for print."""
        from companion.figures import pictures

        try:
            parsed = recursive.parse(self.text)
        except ValueError:
            parsed = recursive.parse(self.spec["start"]["text"])
        tau = len(parsed.tokens)
        trees = {"parse": parsed.tree, "balanced": recursive.balanced(tau), "chain": recursive.chain(tau)}
        tree = trees[self.tree]
        height, covered = recursive.heights(tree), recursive.spans(tree)
        x = list(range(tau))
        figure, ax = pictures.canvas(title=self.spec["title"], height=1.2 + 0.3 * max(height))
        for left, right in tree.merges:
            n = len(x)
            x.append((x[left] + x[right]) / 2)
            for child in (left, right):
                ax.plot([x[child], x[n]], [height[child], height[n]], color=pictures.INK, lw=0.8, zorder=0)
        for n in range(tau + min(self.step, tau - 1)):
            said = recursive.pending(parsed, *covered[n]) if n >= tau else (parsed.tokens[n],)
            said = " ".join(said) if len(" ".join(said)) <= 12 else f"{len(said)} symbols"
            ax.text(x[n], height[n], said, ha="center", va="center", fontsize=8, bbox={"fc": "white", "lw": 0.5})
        ax.set(xlim=(-0.7, tau - 0.3), ylim=(-0.6, max(height) + 0.6))
        ax.axis("off")
        return figure
