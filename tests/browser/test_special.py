"""What the special figures compute in the page equals the reference, on fixed and on drawn states."""

import numpy as np
import pytest

from companion import gated, longterm
from companion.figures.special import H0, STEPS

RNG = np.random.default_rng(20)


def assert_close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


EIGEN = [(0.9, 0.4, 1.0, False), (1.2, 0.0, 1.0, False), (0.9, 0.5, 8.0, True), (0.0, 0.0, 1.0, True)] + [
    (*RNG.uniform([0, 0, 1], [1.5, 3.14, 10]), bool(RNG.integers(2))) for _ in range(30)
]


@pytest.mark.parametrize(("rho", "theta", "skew", "tanh"), EIGEN)
def test_eigenvalues_in_the_page_equal_the_reference(page, rho, theta, skew, tanh):
    state = {"rho": rho, "theta": theta, "skew": skew, "tanh": tanh}
    there = page.evaluate("([s, h0, n]) => explorables.kinds.eigenvalues.compute(s, h0, n)", [state, list(H0), STEPS])
    W = longterm.two_unit(rho, theta, skew)
    h = longterm.trajectory(W, np.array(H0), STEPS, tanh)
    assert_close(there["h"], h)
    assert_close(there["powers"], longterm.power_norms(W, STEPS))
    assert_close(there["gradients"], longterm.gradient_norms(W, h, tanh))


GATES = [(*RNG.uniform(-8, 8, size=3), str(RNG.choice(["constant", "input"]))) for _ in range(20)]


@pytest.mark.parametrize("signal", list(gated.GATE_INPUTS))
@pytest.mark.parametrize(("af", "ag", "aq", "mode"), [(3.0, 0.0, 2.0, "constant"), (5.0, -3.0, 0.0, "input"), *GATES])
def test_gates_in_the_page_equal_the_reference(page, af, ag, aq, mode, signal):
    x = np.array(gated.GATE_INPUTS[signal])
    state = {"af": af, "ag": ag, "aq": aq, "mode": mode}
    there = page.evaluate("([s, x]) => explorables.kinds.gates.compute(s, x)", [state, x.tolist()])
    here = gated.gate_unit(af, ag, aq, x, mode)
    for field in ("f", "g", "q", "s", "h"):
        assert_close(there[field], getattr(here, field))
