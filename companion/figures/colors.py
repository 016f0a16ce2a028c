"""One meaning, one colour, for matplotlib and for the pages alike.

The hues are those of Okabe and Ito, which the colour-blind tell apart; each is as dark (on a dark page as light) as a
thin line needs: contrast with the paper is at least 3 to 1.
"""

COLORS = {
    "input": "#0058A8",
    "state": "#1E8A63",
    "output": "#C48414",
    "target": "#5A5A5A",
    "loss": "#B53A00",
    "gradient": "#BC6BA6",
    "parameter": "#3A93DC",
}
"""Role → colour; never the only sign: label lines too."""

DARK = {
    "input": "#3A95EA",
    "state": "#1E9A6C",
    "output": "#ECAD27",
    "target": "#D0D0D0",
    "loss": "#E8500F",
    "gradient": "#D878B2",
    "parameter": "#7CCBFA",
}
"""The same roles on a dark page."""


def style() -> str:
    """The style sheet that gives every role its variable, ``--ex-input`` and so on, and every class its role."""
    return "\n".join(
        [
            _rule(":root", {f"--ex-{role}": color for role, color in COLORS.items()}),
            _rule(
                'html[data-theme="dark"], body[data-jp-theme-light="false"]',
                {f"--ex-{role}": color for role, color in DARK.items()},
            ),
            *(_rule(f".explorable .ex-{role}", {"--role": f"var(--ex-{role})"}) for role in COLORS),
        ]
    )


def _rule(selector: str, values: dict[str, str]) -> str:
    return f"{selector} {{ {' '.join(f'{name}: {value};' for name, value in values.items())} }}"
