"""The still pictures of explorables, for print and for readers of the bare notebook."""

from typing import Any

from .colors import COLORS

INK = "#333333"


def canvas(rows: int = 1, columns: int = 1, title: str = "", height: float = 3.0) -> tuple[Any, Any]:
    """A matplotlib figure with its axes, made apart from pyplot's current figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, height if rows == 1 else 1.6 * rows + 0.6), layout="constrained")
    figure.suptitle(title, fontsize=11)
    return figure, figure.subplots(rows, columns)


def colormap(role: str, signed: bool) -> Any:
    """From white to the role's colour; signed values go through white to grey."""
    from matplotlib.colors import LinearSegmentedColormap

    stops = [COLORS["target"], "#ffffff", COLORS[role]] if signed else ["#ffffff", COLORS[role]]
    return LinearSegmentedColormap.from_list(role, stops)
