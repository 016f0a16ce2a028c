"""Numbers in the words of a figure."""

import math

RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def number(value: float | None) -> str:
    """Write a number as the figures do (`kit.js`): three digits; 2.6×10⁻¹⁶ where it is very small or large.

    None and NaN, a gap in a curve, become a dash.
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        short = float(f"{value:.3g}")
        return f"{int(short) if short.is_integer() else short}".replace("-", "−")
    factor, _, power = f"{value:.1e}".replace(".0e", "e").partition("e")
    times = {"1": "", "-1": "−"}.get(factor, f"{factor}×").replace("-", "−")
    return f"{times}10{str(int(power)).translate(RAISED)}"
