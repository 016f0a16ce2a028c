"""Section 10.7: why distant steps speak softly.

- `powers`: one matrix, again and again; eigenvalues.
- `products`: Jacobians along a run, their products, fitted slopes.
- `depth`: products of different random factors, repeated tanh maps.
- `latching`: what it costs to hold a bit;
- `stacks`: many small nets trained side by side.
"""

from companion.core.functions import spectral_radius
from companion.longterm.depth import cross_section, factor_products, factor_variance
from companion.longterm.latching import (
    Latch,
    identity_start,
    latch_accuracy,
    latch_init,
    latch_train,
    one_unit_memory,
)
from companion.longterm.powers import (
    Power,
    draw_weights,
    eigen_power,
    power_method,
    power_norms,
    trajectory,
    two_real,
    two_unit,
)
from companion.longterm.products import (
    fitted_slope,
    gradient_norms,
    jacobian_product,
    jacobians,
    log_product_norms,
    step_jacobians,
)

__all__ = [
    "Latch",
    "Power",
    "cross_section",
    "draw_weights",
    "eigen_power",
    "factor_products",
    "factor_variance",
    "fitted_slope",
    "gradient_norms",
    "identity_start",
    "jacobian_product",
    "jacobians",
    "latch_accuracy",
    "latch_init",
    "latch_train",
    "log_product_norms",
    "one_unit_memory",
    "power_method",
    "power_norms",
    "spectral_radius",
    "step_jacobians",
    "trajectory",
    "two_real",
    "two_unit",
]
