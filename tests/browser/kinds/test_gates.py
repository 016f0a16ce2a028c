"""What one LSTM unit computes in the page equals the reference, on fixed and on drawn gates."""

import numpy as np
import pytest

from companion import gated
from companion.figures import Gates

from ..figures import assert_close

example = Gates
RNG = np.random.default_rng(21)
DRAWN = [(*RNG.uniform(-8, 8, size=3), str(RNG.choice(["constant", "input"]))) for _ in range(20)]


@pytest.mark.parametrize("signal", list(gated.GATE_INPUTS))
@pytest.mark.parametrize(("af", "ag", "aq", "mode"), [(3.0, 0.0, 2.0, "constant"), (5.0, -3.0, 0.0, "input"), *DRAWN])
def test_the_page_computes_what_the_reference_computes(page, af, ag, aq, mode, signal):
    x = np.array(gated.GATE_INPUTS[signal])
    state = {"af": af, "ag": ag, "aq": aq, "mode": mode}
    there = page.evaluate("([s, x]) => explorables.kinds.gates.compute(s, x)", [state, x.tolist()])
    here = gated.gate_unit(af, ag, aq, x, mode)
    for field in ("f", "g", "q", "s", "h"):
        assert_close(there[field], getattr(here, field))
