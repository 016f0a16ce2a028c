"""What a dragged pair of eigenvalues computes in the page equals the reference, on fixed and on drawn states."""

import numpy as np
import pytest

from companion import longterm
from companion.figures import Eigenvalues
from companion.figures.kinds.eigenvalues import H0, STEPS

from ..figures import assert_close

example = Eigenvalues
RNG = np.random.default_rng(20)
STATES = [(0.9, 0.4, 1.0, False), (1.2, 0.0, 1.0, False), (0.9, 0.5, 8.0, True), (0.0, 0.0, 1.0, True)] + [
    (*RNG.uniform([0, 0, 1], [1.5, 3.14, 10]), bool(RNG.integers(2))) for _ in range(30)
]


@pytest.mark.parametrize(("rho", "theta", "skew", "tanh"), STATES)
def test_the_page_computes_what_the_reference_computes(page, rho, theta, skew, tanh):
    state = {"rho": rho, "theta": theta, "skew": skew, "tanh": tanh}
    there = page.evaluate("([s, h0, n]) => explorables.kinds.eigenvalues.compute(s, h0, n)", [state, list(H0), STEPS])
    W = longterm.two_unit(rho, theta, skew)
    h = longterm.trajectory(W, np.array(H0), STEPS, tanh)
    assert_close(there["h"], h)
    assert_close(there["powers"], longterm.power_norms(W, STEPS))
    assert_close(there["gradients"], longterm.gradient_norms(W, h, tanh))
