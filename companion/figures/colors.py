"""One meaning, one colour (Okabe–Ito, safe for colour blindness), for matplotlib and for the pages alike."""

COLORS = {
    "input": "#0072B2",
    "state": "#009E73",
    "output": "#E69F00",
    "target": "#767676",
    "loss": "#D55E00",
    "gradient": "#CC79A7",
    "parameter": "#56B4E9",
}
"""Role → colour; never the only sign: label lines too."""

DARK = {**COLORS, "input": "#4AA8DD", "state": "#2CC495", "target": "#9A9A9A"}
"""The same roles on a dark page."""


def style() -> str:
    """The style sheet that gives every role its variable, ``--ex-input`` and so on, and every class its role."""
    return "\n".join(
        [
            _rule(":root", {f"--ex-{role}": color for role, color in COLORS.items()}),
            _rule(
                'html[data-theme="dark"], body[data-jp-theme-light="false"]',
                {f"--ex-{role}": color for role, color in DARK.items() if color != COLORS[role]},
            ),
            *(_rule(f".explorable .ex-{role}", {"--role": f"var(--ex-{role})"}) for role in COLORS),
        ]
    )


def _rule(selector: str, values: dict[str, str]) -> str:
    return f"{selector} {{ {' '.join(f'{name}: {value};' for name, value in values.items())} }}"
