"""Section 10.12: the clockwork net against torch, differences, the plain net and counts by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.cells.clockwork import (
    Clock,
    Clockwork,
    clockwork_bptt,
    clockwork_forward,
    clockwork_init,
    make_clock,
    mask,
    schedule,
)
from companion.cells.rnn import RNN, rnn_bptt, rnn_forward, rnn_init
from companion.core.functions import nll_grad, squared_loss
from companion.data import store
from companion.multiscale import clockwork_reach, operations
from companion.multiscale.modules import WaveNets
from companion.multiscale.waves import WAVE_CLOCK, WAVE_KINDS, wave_parameters, waveform
from tests.conftest import stored_figure
from tests.gradients import assert_agree, assert_gradient, relative_error

few = settings(max_examples=15)
seeds = st.integers(0, 2**32 - 1)
groups = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 3)), min_size=1, max_size=4).map(
    lambda pairs: make_clock(sorted(t for t, _ in pairs), [n for _, n in pairs])
)


def drawn(clock, tau, seed):
    rng = np.random.default_rng(seed)
    p = clockwork_init(clock, 2, 3, rng)
    p = p._replace(b=rng.normal(size=len(p.b)), c=rng.normal(size=3))
    return p, rng.normal(size=(tau, 2)), rng.normal(size=(tau, 3)), rng.normal(size=len(p.b))


def plain(p):
    """The arrays of a clockwork net, as those of a plain one."""
    return RNN(*p[:5])


def torch_run(q, clock, x, h0):
    """The equations unit by unit, in torch, without our mask or schedule."""
    period = [t for t, n in zip(*clock, strict=True) for _ in range(n)]
    h, outputs = list(h0), []
    for t in range(1, len(x) + 1):
        new = []
        for i, own in enumerate(period):
            if t % own:
                new.append(h[i])
                continue
            a = q.b[i] + (q.U[i] * x[t - 1]).sum()
            for j, other in enumerate(period):
                if other >= own:
                    a = a + q.W[i, j] * h[j]
            new.append(torch.tanh(a))
        h = new
        outputs.append(q.c + q.V @ torch.stack(h))
    return torch.stack(outputs)


@few
@given(groups, st.integers(1, 9), seeds)
def test_outputs_and_gradients_are_those_of_torch(clock, tau, seed):
    p, x, y, h0 = drawn(clock, tau, seed)
    q = RNN(*(torch.tensor(v, requires_grad=True) for v in p[:5]))
    o = torch_run(q, clock, torch.tensor(x), torch.tensor(h0))
    loss = 0.5 * ((o - torch.tensor(y)) ** 2).sum()
    ours, g_o = squared_loss(clockwork_forward(p, x, h0).o, y)
    assert np.isclose(ours, loss.item(), rtol=1e-12)
    theirs = torch.autograd.grad(loss, list(q), allow_unused=True, materialize_grads=True)
    theirs = RNN(*(g.detach().numpy() for g in theirs))
    assert_agree(plain(clockwork_bptt(p, x, g_o, h0)), theirs, 1e-10, clockwork_bptt, floor=1e-14)


@settings(max_examples=5)
@given(groups, st.integers(1, 7), seeds)
def test_gradient_is_that_of_differences_at_every_index(clock, tau, seed):
    p, x, y, h0 = drawn(clock, tau, seed)
    allowed = mask(clock)

    def loss(q):
        return squared_loss(clockwork_forward(Clockwork(*q._replace(W=q.W * allowed), clock), x, h0).o, y)[0]

    ours = plain(clockwork_bptt(p, x, squared_loss(clockwork_forward(p, x, h0).o, y)[1], h0))
    assert_gradient(clockwork_bptt, loss, plain(p), ours)


@few
@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.integers(1, 9), seeds)
def test_all_periods_one_is_the_plain_net(sizes, tau, seed):
    rng, clock = np.random.default_rng(seed), make_clock([1] * len(sizes), sizes)
    p, x, y = rnn_init(2, sum(sizes), 3, rng), rng.normal(size=(tau, 2)), rng.integers(3, size=tau)
    clockwork = Clockwork(*p, clock)
    theirs, ours = rnn_forward(p, x), clockwork_forward(clockwork, x)
    assert relative_error(ours.h, theirs.h) <= 1e-12
    assert relative_error(ours.o, theirs.o) <= 1e-12
    assert_agree(
        plain(clockwork_bptt(clockwork, x, nll_grad(ours.o, y))), rnn_bptt(p, x, y), 1e-12, clockwork_bptt, floor=1e-14
    )


@few
@given(groups, st.integers(1, 20))
def test_schedule_mask_and_operations_are_those_counted_one_by_one(clock, tau):
    period = [t for t, n in zip(*clock, strict=True) for _ in range(n)]
    hears = [[j for j, other in enumerate(period) if other >= own] for own in period]
    assert [list(np.flatnonzero(row)) for row in mask(clock)] == hears
    for t in range(1, tau + 1):
        moving = [i for i, own in enumerate(period) if t % own == 0]
        assert list(np.flatnonzero(schedule(clock, tau)[t - 1])) == moving
        assert operations(clock, tau)[t - 1] == sum(len(hears[i]) for i in moving)


def test_groups_that_do_not_strike_keep_their_state_and_faster_ones_never_reach_slower_ones():
    clock = make_clock((1, 3, 5), (2, 3, 2))
    p, x, _, h0 = drawn(clock, 15, 1)
    run = clockwork_forward(p, x, h0)
    assert np.array_equal(run.h[1:][~run.on], run.h[:-1][~run.on])
    pushed = clockwork_forward(p, x, h0 + np.array([1, 1, 0, 0, 0, 0, 0]))
    assert np.array_equal(pushed.h[:, 2:], run.h[:, 2:])
    assert not np.allclose(pushed.h[1, :2], run.h[1, :2])


@few
@given(st.sets(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 12), seeds)
def test_reach_of_a_group_is_the_norm_of_differences_on_its_own_states(periods, tau, seed):
    clock = make_clock(sorted(periods), 2)
    p, x, _, h0 = drawn(clock, tau, seed)
    reach = clockwork_reach(p, x)
    assert np.allclose(reach[0], 1)
    start = clockwork_forward(p, x).h[0]
    for g in range(len(periods)):
        own, columns = slice(2 * g, 2 * g + 2), []
        for e in 1e-5 * np.eye(len(h0))[own]:
            up, down = (clockwork_forward(p, x, start + d).h[-1][own] for d in (e, -e))
            columns.append((up - down) / 2e-5)
        assert abs(np.linalg.norm(np.array(columns), 2) - reach[-1, g]) < 1e-6


@pytest.mark.parametrize(
    ("periods", "sizes", "named"),
    [
        ((), 2, "periods"),
        ((0, 1), 2, "periods"),
        ((2, 1), 2, "periods"),
        ((1, 1.5), 2, "periods"),
        (3, 2, "periods"),
        ((1, float("nan")), 2, "periods"),
        ((1, 2), 0, "sizes"),
        ((1, 2), (1,), "sizes"),
        ((1, 2), (1, 2.5), "sizes"),
    ],
)
def test_bad_clocks_are_refused_by_name(periods, sizes, named):
    with pytest.raises(ValueError, match=f"^{named}: want"):
        make_clock(periods, sizes)


def test_bad_clocks_made_without_the_check_are_refused_where_they_are_used():
    for use in (mask, lambda c: schedule(c, 3), lambda c: operations(c, 3)):
        with pytest.raises(ValueError, match="^periods: want"):
            use(Clock((2, 1), (1, 1)))
        with pytest.raises(ValueError, match="^clock: want"):
            use(((1, 2), (1, 1)))


@few
@given(groups, st.integers(1, 5), seeds, st.sampled_from(["x", "h0", "p.W", "p.b", "g_o"]), st.booleans())
def test_bad_shapes_and_numbers_are_refused_by_name(clock, tau, seed, name, nan):
    p, x, y, h0 = drawn(clock, tau, seed)
    values = {"x": x, "h0": h0, "p.W": p.W, "p.b": p.b, "g_o": y}
    bad = values[name] * np.nan if nan else np.concatenate([values[name], values[name]], axis=-1)
    values[name] = bad
    q = p._replace(W=values["p.W"], b=values["p.b"])
    with pytest.raises(ValueError, match=f"^{name}: want"):
        clockwork_bptt(q, values["x"], values["g_o"], values["h0"])


def test_empty_sequences_forbidden_weights_and_other_types_are_refused_by_name():
    clock = make_clock((1, 2), 2)
    p, x, y, _ = drawn(clock, 4, 0)
    with pytest.raises(ValueError, match="^x: want"):
        clockwork_forward(p, np.zeros((0, 2)))
    with pytest.raises(ValueError, match=r"^p\.W: want zeros"):
        clockwork_forward(p._replace(W=np.ones((4, 4))), x)
    with pytest.raises(ValueError, match="^p: want"):
        clockwork_forward(tuple(p), x)
    with pytest.raises(ValueError, match="^tau: want"):
        schedule(clock, 0)
    with pytest.raises(ValueError, match="^y: want"):
        squared_loss(y, y[:-1])
    with pytest.raises(ValueError, match="^kind: want"):
        wave_parameters("gru")
    with pytest.raises(ValueError, match="^seed: want"):
        waveform(-1)


def test_the_kinds_have_equal_parameter_counts_to_three_percent_and_they_are_counted_right():
    counts = {kind: wave_parameters(kind) for kind in WAVE_KINDS}
    assert max(counts.values()) <= 1.03 * min(counts.values())
    for kind, count in counts.items():
        per_net = sum(v[0].numel() for v in WaveNets(kind, 1).parameters() if v.requires_grad)
        absent = int((1 - mask(WAVE_CLOCK)).sum()) if kind == "clockwork" else 0
        assert count == per_net - absent


@pytest.mark.parametrize("kind", WAVE_KINDS)
def test_stored_weights_reproduce_the_stored_outputs_and_errors(kind):
    rows, weights = store.rows("clockwork", kind=kind), store.weights("clockwork", kind=kind)
    row = min(rows, key=lambda row: np.median(row["errors"]))
    assert row["rate"] == store.record("clockwork")["metrics"][kind]["rate"]
    nets, output = WaveNets(kind, 5), weights.pop("output")
    with torch.no_grad():
        for name, value in nets.named_parameters():
            value.copy_(torch.tensor(weights.pop(name)))
        assert not weights and np.abs(nets().numpy() - output).max() < 0.02
    y = np.array([waveform(seed) for seed in range(5)])
    assert np.allclose(((output - y) ** 2).mean(1) / y.var(1), row["errors"][:5], atol=1e-4)
    assert [len(row["errors"]) for row in rows] == [20, 20]
    assert row["parameters"] == wave_parameters(kind)


@pytest.mark.parametrize("periods", [(1, 2, 4, 8), (1, 2, 3, 4), (1, 1, 1, 1)])
@pytest.mark.parametrize(("follow", "from_group"), [("fastest group", 0), ("slowest group", 3)])
def test_the_machine_that_the_page_draws_is_a_clockwork_net(periods, follow, from_group):
    views = stored_figure("10_12_multiple_scales", "clockwork")["data"]["views"]
    name = ", ".join(map(str, periods))
    view = views[f"{name}|{follow}"]
    edges = (views[view["like"]] if "like" in view else view)["edges"]
    hears = {(j, g) for j in range(4) for g in range(4) if periods[j] >= periods[g]}
    W = clockwork_init(make_clock(periods, 1), 1, 1, np.random.default_rng(11))
    U, W = W.U[:, 0], np.where(np.eye(4), 0.9, W.W)
    x = np.random.default_rng(12).normal(size=8)

    def run(h, t0=0):
        states = [h]
        for t in range(t0 + 1, 9):
            new = [np.tanh(W[g] @ h + U[g] * x[t - 1]) if t % T == 0 else h[g] for g, T in enumerate(periods)]
            h = np.array(new)
            states.append(h)
        return np.array(states)

    def written(v):
        return f"{round(v, 2) + 0.0:.2f}".replace("-", "−")

    h, eps = run(np.zeros(4)), 1e-6
    for t, frame in enumerate(view["frames"][:8], 1):
        moves = {g for g, T in enumerate(periods) if t % T == 0}
        read = {f"{j}.{t - 1}>{g}.{t}" for j, g in hears if g in moves}
        assert set(frame["hot"]) == {f"{g}.{t}" for g in moves} | read
        assert frame["values"] == {f"{g}.{t}": written(h[t, g]) for g in range(4)}
        copies = {f"{g}.{t - 1}>{g}.{t}" for g in range(4) if g not in moves}
        assert {(e["id"], e.get("role", "")) for e in edges if e["target"].endswith(f".{t}")} == {
            *((e, "") for e in read),
            *((e, "parameter") for e in copies),
        }
    for back, frame in enumerate(view["frames"][9:], 1):
        t = 8 - back
        slope = [(run(h[t] + eps * e, t)[-1] - run(h[t] - eps * e, t)[-1])[from_group] / (2 * eps) for e in np.eye(4)]
        assert frame["values"] == {f"{g}.{t}": written(v) for g, v in enumerate(slope) if v}
        assert {k for k in frame["marks"] if ">" not in k} == set(frame["values"])


@pytest.mark.parametrize("kind", WAVE_KINDS)
def test_weights_of_the_wave_nets_begin_at_a_spread_of_one_over_the_root_of_what_they_sum(kind):
    torch.manual_seed(0)
    net = WaveNets(kind, 400)
    for name, v in net.named_parameters():
        if name in "UWV":
            assert v.std().item() == pytest.approx(v.shape[1] ** -0.5, rel=0.05), name
            assert abs(v.mean().item()) < 5 * v.std().item() / v.numel() ** 0.5
    assert net.b.std().item() == pytest.approx(0.1, rel=0.05) and not net.c.any()
