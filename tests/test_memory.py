"""Section 10.13.2, the machine: addressing held to closed forms, torch and differences; drills; stored nets."""

from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.data import store
from companion.memory import addressing as ad
from companion.memory import drill_practice as practice
from companion.memory import machine as mc
from companion.memory.drills import DRILLED, PRACTICES, copying, recalling
from companion.studies import memory as study
from tests.gradients import assert_gradient, autograd, differences, relative_error

torch.set_num_threads(1)
few = settings(max_examples=30)
seeds = st.integers(0, 2**32 - 1)


def softplus(a: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, a)


def case(seed: int, moves: int = 3) -> tuple[np.ndarray, ad.Head, np.ndarray]:
    """A drawn memory, what a head is told, and its last weighting."""
    rng = np.random.default_rng(seed)
    cells, width = (int(v) for v in rng.integers([moves, 1], [moves + 8, 6]))
    k, s = rng.standard_normal(width), rng.dirichlet(np.ones(moves))
    head = ad.Head(k, rng.exponential(5), rng.random(), s, 1 + rng.exponential(3))
    return rng.standard_normal((cells, width)), head, rng.dirichlet(np.ones(cells))


# --- the four steps -------------------------------------------------------------------------------------------------


@few
@given(seeds, st.sampled_from([1, 3, 5]))
def test_every_step_leaves_a_distribution(seed: int, moves: int) -> None:
    M, head, w_old = case(seed, moves)
    for w in ad.address(M, head, w_old):
        assert w.shape == w_old.shape and (w >= 0).all()
        assert w.sum() == pytest.approx(1, abs=1e-12)


@few
@given(seeds)
def test_the_cosine_is_that_of_the_angle_and_blind_to_length(seed: int) -> None:
    M, head, _ = case(seed)
    c = ad.cosine(M, head.k)
    for row, value in zip(M, c, strict=True):
        assert value == pytest.approx(np.dot(row / np.sqrt((row**2).sum()), head.k / np.sqrt((head.k**2).sum())))
    np.testing.assert_allclose(ad.cosine(7 * M, 0.1 * head.k), c, atol=1e-12)
    np.testing.assert_allclose(ad.cosine(M[:1], M[0]), [1])


def test_a_blank_cell_or_a_blank_key_is_like_nothing() -> None:
    np.testing.assert_array_equal(ad.cosine(np.array([[0.0, 0], [3, 4]]), np.array([3.0, 4])), [0, 1])
    np.testing.assert_array_equal(ad.cosine(np.ones((3, 2)), np.zeros(2)), np.zeros(3))


@few
@given(seeds)
def test_a_strength_of_zero_is_uniform_and_a_huge_one_is_argmax(seed: int) -> None:
    M, head, _ = case(seed)
    np.testing.assert_allclose(ad.address_by_content(M, head.k, 0), 1 / len(M))
    c = ad.cosine(M, head.k)
    gap = np.diff(np.sort(c))[-1]
    if gap > 1e-6:
        np.testing.assert_allclose(ad.address_by_content(M, head.k, 50 / gap), np.eye(len(M))[c.argmax()], atol=1e-12)


@few
@given(seeds)
def test_a_strength_in_between_is_a_boltzmann_weighting(seed: int) -> None:
    M, head, _ = case(seed)
    w, c = ad.address_by_content(M, head.k, head.beta), ad.cosine(M, head.k)
    ratios = w[:, None] / w[None]
    np.testing.assert_allclose(ratios, np.exp(head.beta * (c[:, None] - c[None])), rtol=1e-9)


@few
@given(seeds)
def test_an_open_gate_is_content_and_a_shut_one_stays(seed: int) -> None:
    M, head, w_old = case(seed)
    content = ad.address_by_content(M, head.k, head.beta)
    np.testing.assert_array_equal(ad.gate(1, content, w_old), content)
    np.testing.assert_array_equal(ad.gate(0, content, w_old), w_old)
    np.testing.assert_allclose(ad.gate(0.5, content, w_old), (content + w_old) / 2)


@few
@given(seeds, st.sampled_from([1, 3, 5, 7]))
def test_a_one_hot_shift_is_a_roll_and_any_shift_is_the_convolution_of_the_ffts(seed: int, moves: int) -> None:
    _, head, w = case(seed, moves)
    m = moves // 2
    for j in range(-m, m + 1):
        np.testing.assert_array_equal(ad.shift(w, np.eye(moves)[j + m]), np.roll(w, j))
    kernel = np.zeros(len(w))
    for j in range(-m, m + 1):
        kernel[j % len(w)] += head.s[j + m]
    by_fft = np.fft.ifft(np.fft.fft(w) * np.fft.fft(kernel)).real
    np.testing.assert_allclose(ad.shift(w, head.s), by_fft, atol=1e-12)


@few
@given(seeds)
def test_sharpening_by_one_changes_nothing_and_by_much_leaves_the_largest(seed: int) -> None:
    _, _, w = case(seed)
    np.testing.assert_allclose(ad.sharpen(w, 1), w)
    np.testing.assert_allclose(ad.sharpen(w, 2), w**2 / (w**2).sum())
    second = np.sort(w)[-2] / w.max()
    if second < 1 - 1e-6:
        np.testing.assert_allclose(ad.sharpen(w, -40 / np.log(second)), np.eye(len(w))[w.argmax()], atol=1e-12)


@few
@given(seeds, st.floats(1, 50))
def test_sharpening_never_lowers_the_peak_nor_raises_the_entropy(seed: int, gamma: float) -> None:
    _, _, w = case(seed)
    sharp = ad.sharpen(w, gamma)
    entropies = [-(v[v > 0] * np.log(v[v > 0])).sum() for v in (w, sharp)]
    assert sharp.max() >= w.max() - 1e-12 and entropies[1] <= entropies[0] + 1e-9


def test_sharpening_survives_powers_that_underflow() -> None:
    w = np.full(2000, 1 / 2000)
    np.testing.assert_allclose(ad.sharpen(w, 500), w)


# --- reading and writing --------------------------------------------------------------------------------------------


@few
@given(seeds)
def test_a_one_hot_reads_a_cell_and_any_weighting_reads_a_mean(seed: int) -> None:
    M, _, w = case(seed)
    for i in range(len(M)):
        np.testing.assert_array_equal(ad.memory_read(M, np.eye(len(M))[i]), M[i])
    np.testing.assert_allclose(ad.memory_read(M, w), np.average(M, axis=0, weights=w), atol=1e-12)


@few
@given(seeds)
def test_a_one_hot_that_erases_all_replaces_the_cell_and_leaves_the_others(seed: int) -> None:
    M, head, _ = case(seed)
    i, a = seed % len(M), head.k
    wanted = M.copy()
    wanted[i] = a
    np.testing.assert_array_equal(ad.memory_write(M, np.eye(len(M))[i], np.ones(M.shape[1]), a), wanted)
    wanted[i] = M[i] + a
    np.testing.assert_array_equal(ad.memory_write(M, np.eye(len(M))[i], np.zeros(M.shape[1]), a), wanted)


@few
@given(seeds)
def test_two_heads_that_erase_commute(seed: int) -> None:
    M, _, w = case(seed)
    rng, none = np.random.default_rng(seed), np.zeros(M.shape[1])
    other, e, f = rng.dirichlet(np.ones(len(M))), rng.random(M.shape[1]), rng.random(M.shape[1])
    one = ad.memory_write(ad.memory_write(M, w, e, none), other, f, none)
    two = ad.memory_write(ad.memory_write(M, other, f, none), w, e, none)
    np.testing.assert_allclose(one, two, atol=1e-14)


def test_multiplications_grow_with_the_cells() -> None:
    assert ad.multiplications(128, 20) == 128 * 125
    assert ad.multiplications(256, 20) == 2 * ad.multiplications(128, 20)


BAD = [
    (lambda: ad.cosine(np.zeros((0, 3)), np.ones(3)), r"M: want shape \(cells, width\)"),
    (lambda: ad.cosine([], np.ones(3)), r"M: want shape \(cells, width\)"),
    (lambda: ad.cosine(np.ones(3), np.ones(3)), r"M: want shape \(cells, width\)"),
    (lambda: ad.cosine(np.ones((4, 3)), np.ones(2)), "k: want shape"),
    (lambda: ad.cosine(np.ones((4, 3)), np.array([1, np.nan, 0])), "k: want finite"),
    (lambda: ad.address_by_content(np.ones((4, 3)), np.ones(3), -0.1), "beta: want at least 0"),
    (lambda: ad.gate(1.1, np.ones(2) / 2, np.ones(2) / 2), "g: want at most 1"),
    (lambda: ad.gate(-0.1, np.ones(2) / 2, np.ones(2) / 2), "g: want at least 0"),
    (lambda: ad.gate(0.5, np.ones(2), np.ones(2) / 2), "content: want shares"),
    (lambda: ad.gate(0.5, np.ones(2) / 2, np.ones(3) / 3), "w_old: want shape"),
    (lambda: ad.gate(0.5, np.ones(2) / 2, np.array([1.5, -0.5])), "w_old: want shares"),
    (lambda: ad.shift(np.ones(4) / 4, np.array([0.5, 0.5, 0.5])), "s: want shares"),
    (lambda: ad.shift(np.ones(4) / 4, np.array([1.5, -0.5, 0])), "s: want shares"),
    (lambda: ad.shift(np.ones(4) / 4, np.ones(2) / 2), "s: want an odd number"),
    (lambda: ad.shift(np.ones(4) / 4, np.ones(5) / 5), "s: want an odd number"),
    (lambda: ad.shift(np.ones(4), np.ones(3) / 3), "w: want shares"),
    (lambda: ad.sharpen(np.ones(4) / 4, 0.9), "gamma: want at least 1"),
    (lambda: ad.sharpen(np.ones(4), 2), "w: want shares"),
    (lambda: ad.memory_read(np.zeros((0, 2)), np.zeros(0)), r"M: want shape \(cells, width\)"),
    (lambda: ad.memory_read(np.ones((3, 2)), np.ones(2) / 2), "w: want shape"),
    (lambda: ad.memory_write(np.ones((3, 2)), np.ones(3) / 3, np.ones(3), np.ones(2)), "e: want shape"),
    (lambda: ad.memory_write(np.ones((3, 2)), np.ones(3) / 3, 2 * np.ones(2), np.ones(2)), "e: want numbers in"),
    (lambda: ad.memory_write(np.ones((3, 2)), np.ones(3) / 3, np.ones(2), np.ones(1)), "a: want shape"),
    (lambda: ad.multiplications(0, 3), "cells: want at least 1"),
    (lambda: mc.Machine(3, 2, 2, 4), "cells: want at least 3"),
    (lambda: mc.Machine(3, 2, 8, 0), "width: want at least 1"),
    (lambda: mc.Machine(3, 2, 8, 4, controller="gru"), "controller: want one of"),
    (lambda: copying(0, 1, 2, np.random.default_rng(0)), "length: want at least 1"),
    (lambda: copying(1, 1, 2, np.random.default_rng(0), zero=1), "zero: want one of"),
    (lambda: copying(1, 1, 2, 7), "rng: want a numpy.random.Generator"),
    (lambda: recalling(1, 1, 2, np.random.default_rng(0)), "items: want at least 2"),
    (lambda: recalling(2, 1, 2, np.random.default_rng(0), rows=0), "rows: want at least 1"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[m for _, m in BAD])
def test_bad_input_is_refused_by_name(call: object, message: str) -> None:
    with pytest.raises(ValueError, match="^" + message):
        call()


# --- torch and NumPy ------------------------------------------------------------------------------------------------


def told(a: np.ndarray, width: int) -> ad.Head:
    """The orders that pre-activations of one head stand for, in NumPy."""
    k, beta, g, s, gamma = np.split(a, [width, width + 1, width + 2, width + 5])
    s = np.exp(s) / np.exp(s).sum()
    return ad.Head(np.tanh(k), softplus(beta).item(), 1 / (1 + np.exp(-g.item())), s, 1 + softplus(gamma).item())


def numpy_run(net: mc.Machine, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits and final memory of one sequence, step by step with the functions of `addressing`."""
    p = {name: v.detach().numpy() for name, v in net.named_parameters()}
    M, w, r = np.full((net.cells, net.width), mc.BLANK), [np.eye(net.cells)[0]] * 2, np.zeros(net.width)
    h = c = np.zeros(net.n_h)
    outputs = []
    for x_t in x:
        seen = np.concatenate([x_t, r])
        if net.recurrent:
            a = p["controller.weight_ih"] @ seen + p["controller.weight_hh"] @ h
            i, f, g, o = np.split(a + p["controller.bias_ih"] + p["controller.bias_hh"], 4)
            sigmoid = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        else:
            h = np.tanh(p["controller.weight"] @ seen + p["controller.bias"])
        said = np.split(p["heads.weight"] @ h + p["heads.bias"], 2)
        w = [ad.address(M, told(a, net.width), old).sharp for a, old in zip(said, w, strict=True)]
        e, a = np.split(p["change.weight"] @ h + p["change.bias"], 2)
        M = ad.memory_write(M, w[1], 1 / (1 + np.exp(-e)), np.tanh(a))
        r = ad.memory_read(M, w[0])
        outputs.append(p["output.weight"] @ np.concatenate([h, r]) + p["output.bias"])
    return np.array(outputs), M


@settings(max_examples=10)
@given(seeds, st.sampled_from(mc.CONTROLLERS))
def test_the_machine_is_its_equations_step_by_step(seed: int, controller: str) -> None:
    torch.manual_seed(seed)
    net = mc.Machine(3, 2, 6, 4, 7, controller).double()
    for p in net.parameters():
        torch.nn.init.normal_(p)
    x = torch.randn(2, 5, 3, dtype=torch.float64)
    tape = net.tape(x)
    for i in range(2):
        o, M = numpy_run(net, x[i].numpy())
        assert relative_error(tape.o[i].detach().numpy(), o) <= 1e-10
        assert relative_error(tape.M[i, -1].detach().numpy(), M) <= 1e-10
    assert torch.equal(tape.o, net(x))


class Step(NamedTuple):
    """What goes into one step of a head: memory, what the controller says, old weighting, erase and add."""

    M: np.ndarray
    a: np.ndarray
    w: np.ndarray
    e: np.ndarray
    add: np.ndarray


@settings(max_examples=10)
@given(seeds)
def test_torchs_gradient_of_a_step_is_that_of_differences_at_every_index(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells, width = 5, 3
    draw = rng.standard_normal
    at = Step(draw((cells, width)), draw(width + 6), rng.dirichlet(np.ones(cells)), draw(width), draw(width))
    weights = draw((cells, width))

    def by_numpy(v: Step) -> float:
        head = told(v.a, width)  # differences leave the simplex, so the gate is written out
        mixed = head.g * ad.address_by_content(v.M, head.k, head.beta) + (1 - head.g) * v.w
        moved = sum(s * np.roll(mixed, j) for s, j in zip(head.s, (-1, 0, 1), strict=True)) ** head.gamma
        w = moved / moved.sum()
        return float((weights * (v.M * (1 - np.outer(w, v.e)) + np.outer(w, v.add))).sum() + (w @ v.M).sum())

    def by_torch(q: Step) -> torch.Tensor:
        w = mc.addressed(q.M[None], mc.orders(q.a[None, None], width), q.w[None, None])[:, 0]
        M = mc.rewritten(q.M[None], w, q.e[None], q.add[None])[0]
        return (torch.tensor(weights) * M).sum() + (w[0] @ q.M).sum()

    assert_gradient(mc.addressed, by_numpy, at, autograd(by_torch, at)[1], by_torch)


def test_a_hard_read_has_no_gradient_and_a_soft_one_has() -> None:
    rng = np.random.default_rng(3)
    M, k = rng.standard_normal((6, 4)), rng.standard_normal(4)
    hard = differences(lambda k: M[ad.cosine(M, k).argmax()].sum(), k)
    soft = differences(lambda k: ad.memory_read(M, ad.address_by_content(M, k, 2)).sum(), k)
    assert (hard == 0).all() and np.abs(soft).max() > 1e-3


# --- drills ---------------------------------------------------------------------------------------------------------


@few
@given(st.integers(1, 30), st.integers(1, 4), st.integers(1, 8), seeds)
def test_a_copy_wants_what_it_showed_and_shows_nothing_while_it_asks(length: int, n: int, bits: int, seed: int) -> None:
    d = copying(length, n, bits, np.random.default_rng(seed))
    assert d.x.shape == (n, 2 * length + 1, bits + 1)
    np.testing.assert_array_equal(d.x[:, :length, :bits], 2 * d.y - 1)
    as_bits = copying(length, n, bits, np.random.default_rng(seed), zero=0)
    np.testing.assert_array_equal(as_bits.x[:, :length, :bits], d.y)
    np.testing.assert_array_equal(as_bits.y, d.y)
    np.testing.assert_array_equal(np.argwhere(d.x[0, :, bits])[:, 0], [length])
    assert not d.x[:, length + 1 :].any() and not d.x[:, length, :bits].any()


@few
@given(st.integers(2, 8), st.integers(1, 4), st.integers(1, 6), st.integers(1, 4), seeds)
def test_a_recall_asks_for_one_item_and_wants_the_next(items: int, n: int, bits: int, rows: int, seed: int) -> None:
    d = recalling(items, n, bits, np.random.default_rng(seed), rows)
    for x, y in zip(d.x, d.y, strict=True):
        marks = np.argwhere(x[:, bits])[:, 0]
        assert list(marks) == [i * (rows + 1) for i in range(items)]
        shown = [x[m + 1 : m + 1 + rows, :bits] for m in marks]
        first, last = np.argwhere(x[:, bits + 1])[:, 0]
        assert last == first + rows + 1 and len(x) == last + 1 + rows
        asked = x[first + 1 : last, :bits]
        assert any((a == asked).all() and (b == 2 * y - 1).all() for a, b in pairwise(shown))
        assert not x[last + 1 :].any()


# --- practice, and what is stored ------------------------------------------------------------------------------------


SMALL, COPY = PRACTICES["small"], PRACTICES["copy"]
TESTS = study.SETTINGS.tests


def row(task: str, kind: str, seed: int) -> dict:
    (found,) = store.rows("memory", task=task, kind=kind, seed=seed)
    return found


@pytest.mark.parametrize("task", PRACTICES)
def test_the_record_says_how_large_the_nets_are_that_it_compares(task: str) -> None:
    for r in store.rows("memory", task=task):
        made = practice.drill_net(PRACTICES[task], r["kind"])
        assert r["parameters"] == sum(p.numel() for p in made.parameters())
    assert row(task, "lstm", 0)["parameters"] > 2 * row(task, "machine", 0)["parameters"]


STORED = [(kind, seed) for kind, seed in product(DRILLED[:3], range(3)) if kind == "machine" or seed == 0]


DRAWN = [pytest.param(kind, seed, marks=[pytest.mark.slow] * bool(seed)) for kind, seed in STORED]


@pytest.mark.parametrize(("kind", "seed"), DRAWN)
@pytest.mark.parametrize("task", ["copy", "recall"])
def test_stored_nets_still_make_the_errors_of_their_record(task: str, kind: str, seed: int) -> None:
    r = row(task, kind, seed)
    net = practice.load_drill_net(task, kind, seed)
    for length, wanted in zip(TESTS[task], r["errors"], strict=True):
        assert abs(practice.bit_errors(net, PRACTICES[task], length) - wanted) <= 0.01, length
    assert store.find(f"memory_{task}_{kind}_{seed}.npz").stat().st_size <= store.LARGEST_WEIGHTS


@pytest.mark.parametrize("task", ["copy", "recall"])
def test_the_machine_shown_is_chosen_by_lengths_that_training_knew(task: str) -> None:
    known = TESTS[task].index(PRACTICES[task].lengths[1])
    best = row(task, "machine", practice.chosen_seed(task))
    assert best["errors"][known] == min(row(task, "machine", seed)["errors"][known] for seed in range(3))


def test_minibatches_follow_from_seed_and_step_and_grow_to_the_longest() -> None:
    rows = [practice.drill_batch(COPY, 1, step)[1].shape[1] for step in range(0, 2 * COPY.growing, 10)]
    assert max(rows[:5]) <= 5 and max(rows) == COPY.lengths[1] and min(rows) == COPY.lengths[0]
    for a, b in zip(practice.drill_batch(COPY, 1, 7), practice.drill_batch(COPY, 1, 7), strict=True):
        assert torch.equal(a, b)
    # from 3 at the first step to 8 at step 200, in a straight line
    for step, longest in ((0, 3), (100, 5), (160, 7), (200, 8), (900, 8)):
        drawn = [practice.drill_batch(SMALL, seed, step)[1].shape[1] for seed in range(60)]
        assert (min(drawn), max(drawn)) == (1, longest), f"step {step}"
    assert set(practice.drill_batch(SMALL, 0, 0)[0].unique().tolist()) == {-1, 0, 1}
    assert set(practice.drill_batch(SMALL, 0, 0, "zero")[0].unique().tolist()) == {0, 1}


def test_guessing_is_wrong_on_half_of_the_bits() -> None:
    class Guess(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.randn(len(x), x.shape[1], 8, generator=torch.Generator().manual_seed(0))

    assert practice.bit_errors(Guess(), COPY, 20) == pytest.approx(0.5, abs=0.01)


def test_a_machine_learns_to_copy_two_vectors_in_a_few_steps() -> None:
    net, history = practice.practise_drill(SMALL._replace(steps=200), "machine", 0)
    assert history[-1]["loss"] < 0.65
    assert practice.bit_errors(net, SMALL, 2) < 0.4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: practice.chosen_seed("sort"), "task: want one of"),
        (lambda: practice.drill_net(COPY, "gru"), "kind: want one of"),
        (lambda: practice.load_drill_net("small"), "task: want one of"),
        (lambda: practice.load_drill_net("copy", "machine", 99), "wanted: want one row"),
        (lambda: practice.bit_errors(practice.drill_net(COPY, "lstm"), COPY, 0), "length: want at least 1"),
        (lambda: practice.bit_errors(practice.drill_net(COPY, "lstm"), COPY, 3, 0), "n: want at least 1"),
    ],
)
def test_practice_refuses_bad_input_by_name(call: object, message: str) -> None:
    with pytest.raises(ValueError, match="^" + message):
        call()
