"""Section 10.13, memory networks: stories told by an independent simulation, hops by torch, differences and limits."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.data import store
from companion.memory import hops, network, stories
from companion.memory import story_practice as practice
from companion.memory.hops import Memory
from companion.studies import stories as study
from companion.studies._identity import seen_by_a_row
from companion.training import train
from tests.gradients import assert_agree, assert_gradient, relative_error

torch.set_num_threads(1)
AT = study.SETTINGS.lengths.index(study.SETTINGS.longest)
few = settings(max_examples=25)
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 12)
needed = st.sampled_from([1, 2])


def whereabouts(told: list[str], question: str) -> str:
    """Play the story with dictionaries, sentence by sentence, and answer: the oracle of the generator."""
    at, holder = {}, {}
    for sentence in told:
        if walk := re.fullmatch(r"(\w+) walks to the (\w+)", sentence):
            at[walk[1]] = walk[2]
        elif take := re.fullmatch(r"(\w+) picks up the (\w+)", sentence):
            holder[take[2]] = take[1]
        else:
            raise AssertionError(sentence)
    asked = question.removeprefix("where is the ").removeprefix("where is ").removesuffix(" now")
    return at[holder.get(asked, asked)]


# stories


@few
@given(seeds, sizes, needed, st.booleans())
def test_a_drawn_story_has_the_answer_that_playing_it_through_gives(seed, m, needs, held):
    drawn = stories.draw_stories(5, m + 1, np.random.default_rng(seed), needs, held)
    for i in range(5):
        told, question, answer = stories.tell(drawn, i)
        assert len(told) == m + 1
        assert whereabouts(told, question) == answer
        again = stories.read(told, question)
        for ours, theirs in zip(again, drawn, strict=True):
            np.testing.assert_array_equal(ours[0], theirs[i])


@few
@given(seeds, sizes, needed)
def test_the_facts_alone_give_the_answer_and_there_are_as_many_as_the_question_needs(seed, m, needs):
    drawn = stories.draw_stories(4, m + 1, np.random.default_rng(seed), needs)
    for i in range(4):
        told, question, answer = stories.tell(drawn, i)
        assert whereabouts([told[k] for k in sorted(set(drawn.facts[i]))], question) == answer
        assert len(set(drawn.facts[i])) == needs


@few
@given(seeds, sizes, needed)
def test_training_stories_hold_no_held_out_pair_and_held_ones_answer_with_one(seed, m, needs):
    def pairs(s: stories.Stories) -> np.ndarray:
        """Whether each sentence walks a person to the place of the same number."""
        told = [[stories.WORDS[w] for w in row] for row in s.words.reshape(-1, 5)]
        own = [t[1] == "walks" and stories.PEOPLE.index(t[0]) == stories.PLACES.index(t[4]) for t in told]
        return np.array(own).reshape(s.words.shape[:2])

    rng = np.random.default_rng(seed)
    assert not pairs(stories.draw_stories(20, m + 1, rng, needs)).any()
    held = stories.draw_stories(20, m + 1, rng, needs, held=True)
    assert pairs(held)[np.arange(20), held.facts[:, 1]].all()
    assert (pairs(held).sum(axis=1) == 1).all()


def test_test_stories_are_not_among_training_stories():
    batch = practice.story_batches(0)
    seen = {row.tobytes() for step in range(600) for row in batch(step)[0].codes.numpy()}
    for needs in (1, 2):
        drawn = practice.asked_stories(10, needs)
        codes = np.concatenate([drawn.words.reshape(len(drawn.words), -1), drawn.question], axis=1)
        assert not any(row.tobytes() in seen for row in codes)


def test_sentences_are_as_old_as_they_are_far_from_the_end_unless_their_ages_are_spread():
    for step in range(8):
        ages = practice.story_batches(0)(step)[0].ages.tolist()
        assert ages == list(range(len(ages)))[::-1]
    spread = [practice.story_batches(0, spread=True)(step)[0].ages.tolist() for step in range(8)]
    assert all(ages == sorted(set(ages), reverse=True) and ages[0] < 64 for ages in spread)
    assert any(ages[0] > 10 for ages in spread)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_a_reader_has_read_every_word_when_it_answers(kind):
    torch.manual_seed(0)
    net, (batch, _) = network.Reader(8, kind).double(), network.tensors(DRAWN)
    answer = net(batch).o
    for k in range(batch.codes.shape[1]):
        codes = batch.codes.clone()
        codes[:, k] = (codes[:, k] + 1) % len(stories.WORDS)
        assert (net(batch._replace(codes=codes)).o != answer).any(dim=1).all(), f"word {k} is not read"


def test_answers_of_drawn_stories_are_spread_over_all_places():
    for needs in (1, 2):
        counts = np.bincount(practice.asked_stories(10, needs).answer, minlength=6) / 1000
        assert counts.min() > 0.1 and counts.max() < 0.25


def test_a_bag_counts_words_and_forgets_their_order():
    rng = np.random.default_rng(0)
    words = stories.draw_stories(3, 4, rng).words
    shuffled = rng.permuted(words, axis=2)
    np.testing.assert_array_equal(stories.bags(words), stories.bags(shuffled))
    assert (stories.bags(words).sum(axis=2) == 5).all()


def test_who_picks_it_up_last_has_it_and_takes_it_along():
    told = ["ada picks up the lamp", "ada walks to the barn", "ben walks to the hall", "ben picks up the lamp"]
    assert stories.tell(stories.read(told, "where is the lamp"))[2] == "hall"
    assert stories.tell(stories.read(told[:3], "where is the lamp"))[2] == "barn"
    assert stories.tell(stories.read([*told, "ben walks to the den"], "where is the lamp?"))[2] == "den"


# hops, forward and backward


def memory_case(seed: int) -> tuple[Memory, np.ndarray, np.ndarray, int]:
    """Drawn parameters, word counts and an answer."""
    rng = np.random.default_rng(seed)
    K, n, w, m, places = (int(v) for v in rng.integers([1, 1, 1, 1, 2], [4, 5, 6, 7, 5]))
    p = Memory(*(rng.standard_normal(v) for v in ((K, n, w), (n, w), (K, n, w), (K, m + 2, n), (places, n))))
    return p, rng.integers(0, 3, (m, w)).astype(float), rng.standard_normal(w), int(rng.integers(0, places))


def torch_loss(p: Memory, x: np.ndarray, q: np.ndarray, y: int) -> torch.Tensor:
    """The same net, written again: one word, one sentence, one hop at a time."""
    u = p.B @ torch.tensor(q)
    for k in range(len(p.A)):
        s = torch.stack([(p.A[k] @ torch.tensor(x[i]) + p.T[k, len(x) - 1 - i]) @ u for i in range(len(x))])
        e = torch.exp(s - s.max())
        u = u + sum(e[i] / e.sum() * (p.C[k] @ torch.tensor(x[i])) for i in range(len(x)))
    return -torch.log_softmax(p.V @ u, dim=0)[y]


@few
@given(seeds)
def test_the_gradient_of_a_memory_network_by_hand_is_that_of_torch_and_differences(seed):
    p, x, q, y = memory_case(seed)

    def loss(p: Memory) -> float:
        o = hops.think(p, x, q).o[-1]
        return float(np.log(np.exp(o - o.max()).sum()) + o.max() - o[y])

    assert_gradient(hops.memory_grad, loss, p, hops.memory_grad(p, x, q, y), lambda p: torch_loss(p, x, q, y))


@few
@given(seeds, sizes, st.integers(1, 6))
def test_one_hop_and_its_gradient_are_torchs(seed, m, n):
    rng = np.random.default_rng(seed)
    at = [rng.standard_normal(shape) for shape in ((m, n), (m, n), (n,))]
    g = rng.standard_normal(n)
    a, c, u = (torch.tensor(v, requires_grad=True) for v in at)
    s = (a @ u).detach().requires_grad_()
    out = u + torch.softmax(a @ u, 0) @ c
    theirs = torch.autograd.grad(out @ torch.tensor(g), [a, c, u])
    by_score = torch.autograd.grad(torch.softmax(s, 0) @ c.detach() @ torch.tensor(g), s)[0]
    ours = hops.soft_hop_grad(*at, g)
    assert relative_error(hops.soft_hop(*at).u, out.detach().numpy()) <= 1e-12
    for mine, its in zip((ours.m, ours.c, ours.u), theirs, strict=True):
        assert np.abs(mine - its.numpy()).max() <= 1e-10 * max(1, np.abs(its.numpy()).max())
    assert np.abs(ours.s - by_score.numpy()).max() <= 1e-10 * max(1, np.abs(by_score.numpy()).max())


@few
@given(seeds, st.integers(2, 12), st.integers(1, 6))
def test_scores_are_pushed_apart_without_a_change_of_their_sum(seed, m, n):
    rng = np.random.default_rng(seed)
    grad = hops.soft_hop_grad(*(rng.standard_normal(v) for v in ((m, n), (m, n), n, n))).s
    assert abs(grad.sum()) <= 1e-12 * np.abs(grad).max() + 1e-300


@few
@given(seeds, st.integers(2, 12), st.integers(1, 6))
def test_with_ever_larger_questions_a_soft_hop_reads_what_a_hard_one_reads(seed, m, n):
    rng = np.random.default_rng(seed)
    a, c, u = rng.standard_normal((m, n)), rng.standard_normal((m, n)), rng.standard_normal(n)
    top = np.sort(a @ u)[::-1]
    beta = 40 / (top[0] - top[1])
    np.testing.assert_allclose(hops.soft_hop(a, c, beta * u).o, hops.hard_hop(a, c, beta * u).o, atol=1e-12)
    assert hops.hard_hop(a, c, u).p.tolist() == np.eye(m)[np.argmax(a @ u)].tolist()


@few
@given(seeds, sizes, st.integers(1, 6))
def test_weights_of_a_soft_hop_are_a_distribution_and_a_zero_question_reads_the_mean(seed, m, n):
    rng = np.random.default_rng(seed)
    a, c, u = 100 * rng.standard_normal((m, n)), rng.standard_normal((m, n)), rng.standard_normal(n)
    p = hops.soft_hop(a, c, u).p
    assert (p >= 0).all() and abs(p.sum() - 1) <= 1e-12
    np.testing.assert_allclose(hops.soft_hop(a, c, np.zeros(n)).o, c.mean(axis=0), atol=1e-12)


@few
@given(seeds, sizes, st.integers(1, 6))
def test_a_soft_hop_does_not_care_where_in_memory_a_sentence_stands(seed, m, n):
    rng = np.random.default_rng(seed)
    a, c, u, order = (
        rng.standard_normal((m, n)),
        rng.standard_normal((m, n)),
        rng.standard_normal(n),
        rng.permutation(m),
    )
    np.testing.assert_allclose(hops.soft_hop(a[order], c[order], u).u, hops.soft_hop(a, c, u).u, rtol=1e-12, atol=1e-12)


# the torch twin


@few
@given(seeds, st.integers(1, 3), st.sampled_from([hops.soft_hop, hops.hard_hop]))
def test_the_torch_net_and_the_reference_are_equal(seed, K, hop):
    torch.manual_seed(seed)
    net = network.MemoryNet(n_u=5, hops=K, ages=9).double()
    with torch.no_grad():
        for value in net.parameters():
            value.mul_(10)
    drawn = stories.draw_stories(3, 7, np.random.default_rng(seed))
    batch, y = network.tensors(drawn)
    reply = net(batch, read="soft" if hop is hops.soft_hop else "hard")
    for i in range(3):
        run = hops.think(net.numpy(), *(stories.bags(v[i]) for v in drawn[:2]), hop)
        assert relative_error(run.o[-1], reply.o[i].detach().numpy()) <= 1e-10
        assert relative_error(np.array([h.p for h in run.hops]), reply.p[i].detach().numpy()) <= 1e-10
        assert relative_error(np.array([h.s for h in run.hops]), reply.s[i].detach().numpy()) <= 1e-10
    network.answer_loss(net, batch, y).backward()
    each = [
        hops.memory_grad(net.numpy(), *(stories.bags(v[i]) for v in drawn[:2]), int(drawn.answer[i])) for i in range(3)
    ]
    ours = Memory(*(np.mean(v, axis=0) for v in zip(*each, strict=True)))
    theirs = Memory(**{k: v.grad.numpy() for k, v in net.named_parameters()})
    assert_agree(ours, theirs, 1e-10, hops.memory_grad)


def test_a_hard_reading_sends_no_gradient_to_the_addresses_and_a_soft_one_does():
    torch.manual_seed(0)
    net = network.MemoryNet(5)
    batch, y = network.tensors(stories.draw_stories(8, 6, np.random.default_rng(0)))
    for read, silent in (("hard", True), ("soft", False)):
        net.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(net(batch, read=read).o, y).backward()
        for name in ("A", "T"):
            grad = getattr(net, name).grad
            assert (grad is None or not grad.any()) == silent
        assert net.C.grad.any() and net.V.grad.any()


def test_told_the_facts_a_net_reads_just_them_and_its_scores_get_a_gradient():
    torch.manual_seed(0)
    net = network.MemoryNet(5).double()
    drawn = stories.draw_stories(6, 6, np.random.default_rng(0))
    batch, y = network.tensors(drawn)
    told = net(batch, facts=batch.facts)
    np.testing.assert_array_equal(told.p.detach().argmax(dim=2).numpy(), drawn.facts)
    loss = network.supervised_loss(net, batch, y)
    log_p, rows = torch.log_softmax(told.s, dim=2), torch.arange(6)
    by_hand = -torch.log_softmax(told.o, dim=1)[rows, y].mean()
    by_hand = by_hand - sum(log_p[rows, k, batch.facts[:, k]].mean() for k in range(2)) / 2
    assert loss.item() == pytest.approx(by_hand.item(), rel=1e-12)
    loss.backward()
    assert net.A.grad.any() and net.T.grad.any()


def test_a_linear_hop_is_a_softmax_hop_without_the_softmax():
    torch.manual_seed(1)
    net = network.MemoryNet(5, hops=1).double()
    drawn = stories.draw_stories(4, 6, np.random.default_rng(0))
    reply = net(network.tensors(drawn)[0], read="linear")
    assert torch.equal(reply.p, reply.s)
    p, x, q = net.numpy(), stories.bags(drawn.words[0]), stories.bags(drawn.question[0])
    m, c, u = x @ p.A[0].T + p.T[0, 5::-1], x @ p.C[0].T, p.B @ q
    np.testing.assert_allclose(reply.o[0].detach().numpy(), p.V @ (u + (m @ u) @ c), rtol=1e-10)


def test_a_net_without_time_gives_every_order_of_the_sentences_the_same_answer():
    torch.manual_seed(2)
    drawn, order = stories.draw_stories(4, 6, np.random.default_rng(3)), np.random.default_rng(4).permutation(6)
    mixed = drawn._replace(words=drawn.words[:, order])
    for time, same in ((False, True), (True, False)):
        net = network.MemoryNet(5, time=time).double()
        one, two = (net(network.tensors(s)[0]).o for s in (drawn, mixed))
        assert torch.allclose(one, two, rtol=0, atol=1e-12) == same


def test_time_stays_switched_off_in_training():
    torch.manual_seed(0)
    net = network.MemoryNet(5, time=False)
    train(net, practice.story_batches(0), network.answer_loss, steps=3)
    assert not net.T.any()


def test_a_memory_network_learns_one_fact_questions_in_a_few_hundred_steps():
    torch.manual_seed(0)
    net, batch = network.MemoryNet(), practice.story_batches(5)
    train(net, lambda step: batch(2 * step), network.answer_loss, steps=500, lr=0.01, clip=10, every=500)
    assert network.accuracy(net, practice.asked_stories(5, 1)) > 0.9


# what was stored


@pytest.mark.parametrize("kind", practice.STORED_NETS)
def test_stored_nets_still_earn_their_recorded_accuracies(kind):
    rows = store.rows("stories", kind=kind)
    if kind == "soft":
        rows = [row for row in rows if row["soft"]["2"][AT] < study.SETTINGS.stuck]
    nets = practice.load_story_nets(kind)
    assert len(nets) == (len(rows) if kind == "soft" else 3)
    for net, row in zip(nets[:2], rows, strict=False):
        for read in ("soft", "hard"):
            for key, again in practice.story_scores(net, study.SETTINGS.lengths, read).items():
                np.testing.assert_allclose(again, row[read][key], atol=0.0021)


def test_the_stored_nets_look_up_the_very_facts_and_the_stuck_ones_read_walks_only():
    drawn = practice.asked_stories(10, 2)
    batch, _ = network.tensors(drawn)
    found = {
        kind: torch.stack(
            [(net(batch).p.argmax(dim=2) == batch.facts).double().mean(dim=0) for net in practice.load_story_nets(kind)]
        )
        for kind in practice.STORED_NETS
    }
    assert found["supervised"].min() > 0.95 and found["short first"].min() > 0.9
    assert found["soft"][:, 0].max() < 0.05


def test_in_the_record_told_nets_always_learn_and_soft_ones_nearly_always_if_short_stories_come_first():
    def good(kind: str) -> int:
        rows = [row["soft"] for row in store.rows("stories", kind=kind)]
        return sum(min(row["1"][AT], row["2"][AT]) >= 0.95 for row in rows)

    assert good("supervised") == 20
    assert good("short first") >= 18 > good("soft") > good("linear start") > 0
    assert good("three hops") == 10
    assert good("one hop") == good("two-fact questions only") == 0


def test_training_again_from_the_same_seed_gives_the_same_net():
    for name, linear in (("linear start", 20), ("soft, 180 stories", 0)):
        kinds = {name: study.KINDS[name]._replace(steps=30, linear=linear)}
        seen = seen_by_a_row(study, study.SETTINGS._replace(kinds=kinds, judged=10))
        one, two = (study.run({"kind": name, "seed": 3}, seen, "cpu")["weights"] for _ in range(2))
        assert all(one[k].tobytes() == two[k].tobytes() for k in one)


def test_few_stories_means_that_the_same_ones_come_again():
    batch = practice.story_batches(0, stories=180)
    seen = {row.tobytes() for step in range(300) for row in batch(step)[0].codes.numpy()}
    assert 150 <= len(seen) <= 180


# bad input

DRAWN = stories.draw_stories(2, 3, np.random.default_rng(0))
P, X, Q, _ = memory_case(7)
BAD = {
    "no stories": ("n", lambda: stories.draw_stories(0, 3, np.random.default_rng(0))),
    "empty story": ("sentences", lambda: stories.draw_stories(1, 0, np.random.default_rng(0))),
    "a single sentence for two facts": ("sentences", lambda: stories.draw_stories(1, 1, np.random.default_rng(0), 2)),
    "three facts": ("needs", lambda: stories.draw_stories(1, 5, np.random.default_rng(0), 3)),
    "a seed for a generator": ("rng", lambda: stories.draw_stories(1, 5, 0)),
    "nothing told": ("sentences", lambda: stories.read([], "where is ada now")),
    "one string": ("sentences", lambda: stories.read("ada walks to the barn", "where is ada now")),
    "unknown word": ("sentences", lambda: stories.read(["zoe walks to the barn"], "where is ada now")),
    "unknown word asked": ("question", lambda: stories.read(["ada walks to the barn"], "where is zoe now")),
    "no template": ("sentences", lambda: stories.read(["barn walks to the ada"], "where is ada now")),
    "not text": ("sentences", lambda: stories.read([3], "where is ada now")),
    "not told": ("question", lambda: stories.read(["ada walks to the barn"], "where is ben now")),
    "nobody holds it": ("question", lambda: stories.read(["ada walks to the barn"], "where is the lamp")),
    "holder never walked": ("question", lambda: stories.read(["ada picks up the lamp"], "where is the lamp")),
    "no such story": ("i", lambda: stories.tell(DRAWN, 2)),
    "no words": ("words", lambda: stories.bags(np.zeros((0, 5), int))),
    "unknown code": ("words", lambda: stories.bags(np.array([0, 99]))),
    "a story that is one row": ("words", lambda: stories.solve(DRAWN.words[0], DRAWN.question)),
    "a story of text": ("words", lambda: stories.solve([[["ada"] * 5]], DRAWN.question[:1])),
    "a story of NaN": ("words", lambda: stories.solve(DRAWN.words * np.nan, DRAWN.question)),
    "a negative code": ("words", lambda: stories.solve(-DRAWN.words, DRAWN.question)),
    "an unknown code asked": ("question", lambda: stories.solve(DRAWN.words, DRAWN.question + len(stories.WORDS))),
    "half a code": ("question", lambda: stories.solve(DRAWN.words, DRAWN.question + 0.5)),
    "fewer questions than stories": ("question", lambda: stories.solve(DRAWN.words, DRAWN.question[:1])),
    "codes that are no integers": ("words", lambda: stories.bags(np.array([0.5]))),
    "empty memory": ("m", lambda: hops.soft_hop(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(3))),
    "contents of another size": ("c", lambda: hops.soft_hop(np.zeros((2, 3)), np.zeros((2, 2)), np.zeros(3))),
    "question of another width": ("u", lambda: hops.hard_hop(np.zeros((2, 3)), np.zeros((2, 3)), np.zeros(4))),
    "gradient of another width": ("g", lambda: hops.soft_hop_grad(np.eye(2), np.eye(2), np.ones(2), np.ones(3))),
    "NaN in memory": ("m", lambda: hops.soft_hop(np.full((2, 3), np.nan), np.zeros((2, 3)), np.zeros(3))),
    "empty story to think about": ("x", lambda: hops.think(P, X[:0], Q)),
    "more sentences than ages": ("x", lambda: hops.think(P, np.tile(X[:1], (50, 1)), Q)),
    "hops that differ": ("p.T", lambda: hops.think(P._replace(T=P.T[:0]), X, Q)),
    "no such answer": ("y", lambda: hops.memory_grad(P, X, Q, 99)),
    "no hops": ("hops", lambda: network.MemoryNet(hops=0)),
    "no width": ("n_u", lambda: network.MemoryNet(n_u=0)),
    "no ages": ("ages", lambda: network.MemoryNet(ages=0)),
    "story too long": ("batch", lambda: network.MemoryNet(ages=2)(network.tensors(DRAWN)[0])),
    "facts for other hops": (
        "facts",
        lambda: network.supervised_loss(network.MemoryNet(hops=3), *network.tensors(DRAWN)),
    ),
    "unknown reading": ("read", lambda: network.accuracy(network.MemoryNet(), DRAWN, "sharp")),
    "rising ages": ("ages", lambda: network.tensors(DRAWN, np.arange(3))),
    "unknown reader": ("kind", lambda: network.Reader(3, "RNN")),
    "reader without units": ("n_h", lambda: network.Reader(0)),
    "net that is not stored": ("kind", lambda: practice.load_story_nets("hardest")),
    "negative seed": ("seed", lambda: practice.story_batches(-1)),
    "too few stories": ("stories", lambda: practice.story_batches(0, stories=1)),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    name, call = BAD[case]
    with pytest.raises(ValueError, match=rf"^{re.escape(name)}: want"):
        call()
