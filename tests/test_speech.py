"""The speech generators of P.1: their text, their training, the net that writes, and the command."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from companion.cells.lstm import lstm_forward, lstm_init
from companion.data.text import ALPHABET, encode, english
from companion.gated.characters import CharLSTM, char_logits
from companion.graphical.tables import kgram_fit, kgram_logp
from companion.speech import nets, prose, reading, writer
from companion.speech.__main__ import main
from companion.speech.command import learn, writer_of
from companion.studies.speech import Settings
from companion.training import train

from .conftest import ROOT

K = len(ALPHABET)
TEXT = "the cat sat on the mat, and (so it is said) nobody asked why. " * 60


def codes(n, seed=0):
    return np.random.default_rng(seed).integers(0, K, n)


def model(units=6, seed=0):
    rng = np.random.default_rng(seed)
    return CharLSTM(lstm_init(K, units, rng), 2 * rng.normal(size=(K, units)), rng.normal(size=K))


def command(*arguments, cwd, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    call = [sys.executable, "-m", "companion.speech", *map(str, arguments)]
    return subprocess.run(call, cwd=cwd, env=environment, capture_output=True, text=True, check=False, **options)


def test_parts_are_the_text_in_its_order():
    text = codes(1000)
    cut = prose.parts(text)
    assert [len(part) for part in cut] == [800, 100, 100]
    np.testing.assert_array_equal(np.concatenate(cut), text)


def test_a_context_is_the_thirty_characters_before_its_place():
    text = codes(100)
    spots, rows = prose.places(text, 7), prose.contexts(text, 7)
    assert spots[0] == 30 and spots[-1] > 92
    for t, row in zip(spots, rows, strict=True):
        np.testing.assert_array_equal(row, text[t - 30 : t + 1])


def test_windows_are_stretches_of_the_text():
    text = np.arange(36)
    rows = prose.recipe_windows(text, 50, np.random.default_rng(1))
    assert rows.shape == (50, 31) and (np.diff(rows) == 1).all()


@pytest.mark.parametrize("order", [0, 2, 5])
def test_a_table_is_judged_at_the_places_of_the_nets(order):
    learned, judged = codes(3000), codes(200, 1)
    logp = kgram_logp(kgram_fit(learned, K, order), judged)
    by_hand = [-logp[t - order] for t in range(30, 200, 3)]
    assert prose.kgram_nats(learned, judged, order, 3) == pytest.approx(np.mean(by_hand))


def test_the_corpus_of_python_is_read_where_no_file_is_named():
    np.testing.assert_array_equal(prose.read_prose(), encode(english()))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "which is empty"),
        (b" \n \t", "which is empty"),
        (b"too short", "want at least 2000 characters of text, got 9"),
        (b"\xff\xfe\x00binary" * 900, "want a text in UTF-8"),
        (b"text \x00 with zeros " * 900, "looks binary"),
        ("я не читаю этого. ".encode() * 900, "letters a to z"),
    ],
)
def test_a_file_that_is_no_text_is_named_with_the_reason(tmp_path, content, why):
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=why):
        prose.read_prose(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ValueError, match="want a text file"):
        prose.read_prose(tmp_path)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(2, 9))
@settings(max_examples=10, deadline=None)
def test_stretches_follow_one_another_in_every_stream(streams, length, steps):
    text = codes(101)
    batch = nets.stream_batches(text, streams, length, 0)
    rows = [batch(step) for step in range(steps)]
    x = torch.cat([x for x, _ in rows], 1).numpy()
    y = torch.cat([y for _, y in rows], 1).numpy()
    for k in range(streams):
        ring = np.roll(text, -k * (101 // streams))
        wanted = np.resize(ring, steps * length + 1)
        np.testing.assert_array_equal(x[k], wanted[:-1])
        np.testing.assert_array_equal(y[k], wanted[1:])


def test_every_window_is_taken_once_a_pass_and_its_last_character_is_the_target():
    drawn = prose.recipe_windows(np.arange(36), 12, np.random.default_rng(0))
    batch = nets.recipe_batches(drawn, 4, 0)
    for first in (0, 3):
        rows = [np.column_stack([x.numpy(), y.numpy()]) for x, y in map(batch, range(first, first + 3))]
        assert sorted(map(tuple, np.concatenate(rows))) == sorted(map(tuple, drawn))


def test_a_net_is_pytorchs_lstm_on_one_hot_characters():
    torch.manual_seed(0)
    net = nets.SpeechNet(7, 2)
    x = torch.from_numpy(codes(20).reshape(2, 10))
    own, _ = net(x)
    theirs = net.head(net.lstm(torch.nn.functional.one_hot(x, K).float())[0])
    torch.testing.assert_close(own, theirs)


def test_the_recipes_loss_is_that_of_the_last_character_alone():
    torch.manual_seed(0)
    net = nets.SpeechNet(7, 2)
    rows = torch.from_numpy(codes(62).reshape(2, 31))
    wanted = cross_entropy(net(rows[:, :30])[0][:, -1], rows[:, 30])
    torch.testing.assert_close(nets.last_loss(net, rows[:, :30], rows[:, 30]), wanted)
    assert nets.context_nats(net, rows.numpy()) == pytest.approx(wanted.item(), rel=1e-6)


@pytest.mark.parametrize("norm", [False, True])
def test_a_carried_state_makes_stretches_read_as_one_text(norm):
    torch.manual_seed(0)
    net, text = nets.stream_net(5, streams=2, norm=norm), codes(82)
    batch = nets.stream_batches(text, 2, 8, 0)
    losses = [nets.every_loss(net, *batch(step)).item() for step in range(5)]
    whole = [net(torch.from_numpy(text[k : k + 40])[None])[0][0] for k in (0, 41)]
    wanted = [cross_entropy(o, torch.from_numpy(text[k + 1 : k + 41])) for o, k in zip(whole, (0, 41), strict=True)]
    assert np.mean(losses) == pytest.approx(np.mean([w.item() for w in wanted]), rel=1e-5)


def test_the_gradient_ends_where_a_stretch_begins():
    torch.manual_seed(0)
    net = nets.stream_net(5, streams=2)
    batch = nets.stream_batches(codes(82), 2, 8, 0)
    nets.every_loss(net, *batch(0))
    assert not net.h.requires_grad and not net.s.requires_grad
    assert net.h.abs().sum() > 0


def test_carried_nats_are_those_of_the_reference():
    torch.manual_seed(0)
    net, text = nets.stream_net(5), codes(90)
    spots = prose.places(text, 4)
    reference = writer.model_nats(nets.to_numpy(net), text, spots)
    assert nets.carried_nats(net, text, spots) == pytest.approx(reference, rel=1e-5)


def test_forget_gates_begin_with_bias_one_in_every_layer():
    net = nets.stream_net(4, 2)
    for k in range(2):
        bias = getattr(net.lstm, f"bias_ih_l{k}") + getattr(net.lstm, f"bias_hh_l{k}")
        assert (bias[4:8] == 1).all()


def test_layer_normalisation_forgets_the_scale_of_its_weights():
    torch.manual_seed(0)
    layer, x = nets.NormedLSTM(K, 6).double(), torch.randn(2, 5, K, dtype=torch.float64)
    zero = torch.zeros(1, 2, 6, dtype=torch.float64)
    before, _ = layer(x, (zero, zero))
    with torch.no_grad():
        layer.U.weight *= 100
    after, _ = layer(x, (zero, zero))
    torch.testing.assert_close(before, after, rtol=1e-3, atol=1e-3)


def test_a_normed_step_is_its_equation():
    torch.manual_seed(1)
    layer, x = nets.NormedLSTM(3, 4).double(), torch.randn(1, 2, 3, dtype=torch.float64)
    h = s = np.zeros(4)

    def ln(v):
        return (v - v.mean()) / np.sqrt(v.var() + 1e-5)

    U, W, b = (w.detach().numpy() for w in (layer.U.weight, layer.W.weight, layer.b))
    for t in range(2):
        g, f, z, q = np.split(ln(U @ x[0, t].numpy()) + ln(W @ h) + b, 4)
        s = s / (1 + np.exp(-f)) + np.tanh(z) / (1 + np.exp(-g))
        h = np.tanh(ln(s)) / (1 + np.exp(-q))
    zero = torch.zeros(1, 1, 4, dtype=torch.float64)
    out, _ = layer(x, (zero, zero))
    np.testing.assert_allclose(out[0, -1].detach().numpy(), h, rtol=1e-10)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_training_that_stops_between_steps_and_goes_on_ends_in_the_same_bits(tmp_path, dropout):
    text = codes(500)

    def made():
        torch.manual_seed(0)
        return nets.stream_net(5, streams=3, dropout=dropout)

    def run(net, steps, stop, path):
        batch = nets.stream_batches(text, 3, 7, 1)

        def asked(step):
            if step == stop:
                raise KeyboardInterrupt
            return batch(step)

        train(net, asked, nets.every_loss, steps=steps, lr=1e-2, every=4, checkpoint=path)

    whole, parted = made(), made()
    run(whole, 20, None, None)
    run(parted, 20, 11, tmp_path / "net.pt")
    again = made()
    run(again, 20, None, tmp_path / "net.pt")
    for name, value in whole.state_dict().items():
        same = again.state_dict()[name]
        assert torch.equal(value, same) if isinstance(value, torch.Tensor) else value == same


def test_a_watch_does_not_count_what_it_is_told_to_leave_out():
    watch = nets.Stopwatch()
    with watch:
        end = time.thread_time() + 0.2
        while time.thread_time() < end:
            pass
    assert watch.seconds < 0.1


def test_the_draws_are_marsaglias_xorshift():
    r = np.uint32((7 + 1) * 2654435761 % 2**32)
    wanted = []
    for _ in range(50):
        for shift, way in ((13, np.left_shift), (17, np.right_shift), (5, np.left_shift)):
            r = np.bitwise_xor(r, way(r, np.uint32(shift)))
        wanted.append(float(r) / 2**32)
    assert writer.draws(7, 50).tolist() == wanted


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_the_draws_spread_evenly(seed):
    u = writer.draws(seed, 20_000)
    assert u.min() >= 0 and u.max() < 1
    counts = np.histogram(u, 20, (0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 60
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 0.03


@given(st.integers(0, 1000), st.sampled_from([127, 31, 7]))
@settings(max_examples=20, deadline=None)
def test_packed_weights_are_off_by_half_a_level_at_most(seed, levels):
    net = model(seed=seed)
    packed = writer.packed(net, levels)
    again = writer.unpacked(packed)
    assert np.abs(packed.cell).max() <= levels
    for name in "fgqz":
        for ours, theirs in zip(getattr(again.cell, name)[:3], getattr(net.cell, name)[:3], strict=True):
            top = np.abs(packed.cell * packed.cell_scale[:, None]).max()
            assert np.abs(ours - theirs).max() <= 0.51 * top / levels + 1e-3 * top
    np.testing.assert_allclose(again.V, net.V, atol=0.51 * packed.head_scale.max() + 1e-3)


def test_packing_twice_changes_nothing():
    once = writer.packed(model())
    for ours, theirs in zip(writer.packed(writer.unpacked(once)), once, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3)


@pytest.mark.parametrize("T", [0.3, 1.0, 2.5])
def test_written_probabilities_are_those_of_reading_the_text_again(T):
    net = model()
    made = writer.write(net, "begin ", 40, T, 3)
    read = encode("begin " + made.text)
    o = char_logits(net, lstm_forward(net.cell, np.eye(K)[read[:-1]]).h[1:])[5:]
    wanted = torch.softmax(torch.from_numpy(o) / T, 1).numpy()
    np.testing.assert_allclose(made.yhat, wanted, rtol=1e-9)


def test_each_character_is_where_its_number_falls():
    made = writer.write(model(), "a", 60, 1.0, 5)
    for u, p, c in zip(writer.draws(5, 60), made.yhat, made.text, strict=True):
        at = ALPHABET.index(c)
        assert p[:at].sum() - 1e-12 <= u < p[: at + 1].sum() + 1e-12


def test_without_temperature_the_likeliest_character_is_taken_whatever_the_seed():
    net = model()
    texts = {writer.write(net, "a", 50, 0.0, seed).text for seed in range(4)}
    assert len(texts) == 1
    assert writer.write(net, "a", 50, 1e-4, 1).text in texts


def test_a_low_temperature_sharpens_and_a_high_one_flattens():
    o = np.array([0.0, 1.0, 3.0])
    tops = [writer.tempered(o, T).max() for T in (0.2, 0.5, 1.0, 2.0, 10.0)]
    assert tops == sorted(tops, reverse=True)
    np.testing.assert_allclose(writer.tempered(o, 1e6), 1 / 3, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "why"), [({"n": 0}, "n:"), ({"temperature": -0.1}, "temperature:"), ({"seed": -1}, "seed:")]
)
def test_what_cannot_be_written_is_refused(change, why):
    with pytest.raises(ValueError, match=why):
        writer.write(model(), **{"start": "a", "n": 5, "temperature": 1.0, "seed": 0} | change)


def test_an_empty_start_is_refused():
    with pytest.raises(ValueError, match="at least one character"):
        writer.write(model(), "", 5, 1.0)


def test_properties_are_those_of_a_text_read_by_eye():
    found = reading.properties(encode("(is longer) words"))
    marks = {name: "".join(".x"[int(v)] for v in holds) for name, holds in found.items()}
    assert marks["inside a bracket"] == "xxxxxxxxxx......."
    assert marks["fifth letter of a word or later"] == "........xx......x"
    assert marks["the next one is a space"] == "..x.......x.....x"


@given(st.integers(0, 10**6), st.integers(2, 30))
@settings(max_examples=30, deadline=None)
def test_the_auc_is_the_share_of_pairs_in_which_the_right_one_is_larger(seed, n):
    rng = np.random.default_rng(seed)
    values, holds = rng.integers(0, 6, n).astype(float), rng.random(n) < 0.5
    holds[:2] = True, False
    pairs = np.subtract.outer(values[holds], values[~holds])
    wanted = ((pairs > 0) + 0.5 * (pairs == 0)).mean()
    assert reading.auc(values, holds) == pytest.approx(wanted)


def test_an_auc_needs_characters_of_both_kinds():
    with pytest.raises(ValueError, match="holds: want some"):
        reading.auc(np.zeros(3), np.ones(3))


def test_a_score_without_memory_is_how_often_it_held_at_that_character():
    learned, holds = np.array([0, 0, 1, 2]), np.array([1.0, 0, 1, 0])
    np.testing.assert_allclose(reading.character_scores(learned, holds, np.array([2, 1, 0, 5])), [0, 1, 0.5, 0])


@pytest.mark.parametrize("sign", [1, -1])
def test_a_unit_that_counts_letters_is_found_whatever_its_sign(sign):
    net, texts = model(4, 1), [encode(TEXT * 2)[k : k + 900] for k in (0, 1000, 2000)]
    counted = np.isin(np.arange(K), [ALPHABET.index(c) for c in "abcdefghijklmnopqrstuvwxyz"])
    f, g, z = net.cell.f, net.cell.g, net.cell.z
    for gate in (f, g, z):
        gate.W[2] = 0
    f.U[2], f.b[2] = np.where(counted, 9.0, -9.0), 0  # a letter keeps the count, anything else empties it
    g.U[2], g.b[2] = np.where(counted, 9.0, -9.0), 0
    z.U[2], z.b[2] = 0, sign * 0.5
    found = reading.find_units(net, *texts)["fifth letter of a word or later"]
    assert found.unit == 2 and 0.99 < found.chosen <= 1 and 0.99 < found.judged <= 1


SMALL = ("--steps", 12, "--units", 4, "--every", 5)


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


def test_it_learns_says_how_long_and_then_writes(text, tmp_path):
    done = command("train", "--text", text, *SMALL, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "12 steps on" in done.stdout and "min at most" in done.stdout
    assert "bits a character" in done.stdout
    wrote = command("sample", "--characters", 40, "--start", "the ", "--seed", 3, cwd=tmp_path)
    assert wrote.returncode == 0 and len(wrote.stdout.rstrip("\n")) == 44 and wrote.stdout.startswith("the ")
    again = command("sample", "--characters", 40, "--start", "the ", "--seed", 3, cwd=tmp_path)
    assert again.stdout == wrote.stdout


def test_the_books_own_net_writes_where_nothing_was_learned(tmp_path):
    wrote = command("sample", "--characters", 80, cwd=tmp_path)
    assert wrote.returncode == 0 and len(wrote.stdout.rstrip("\n")) == 84


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "want a text file"), (b"", "empty"), (b"tiny", "at least 2000"), (b"\xff\xfe" * 2000, "UTF-8")],
)
def test_a_file_that_cannot_be_learned_ends_in_one_line_and_status_two(tmp_path, content, why):
    path = tmp_path / "bad.txt"
    if content is not None:
        path.write_bytes(content)
    done = command("train", "--text", path, *SMALL, cwd=tmp_path)
    assert done.returncode == 2 and why in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and done.stderr.startswith("error: ")


def test_a_checkpoint_of_another_text_or_size_or_of_nothing_is_refused(text, tmp_path):
    learn(text, tmp_path / "speech.pt", steps=2, units=4)
    other = tmp_path / "other.txt"
    other.write_text(TEXT.upper().replace("CAT", "DOG"))
    for arguments in (["--text", other, "--units", 4], ["--text", text, "--units", 5]):
        done = command("train", *arguments, "--steps", 4, cwd=tmp_path)
        assert done.returncode == 2 and "another file" in done.stderr and done.stderr.count("\n") == 1
    (tmp_path / "speech.pt").write_bytes(b"nothing of the kind")
    done = command("sample", cwd=tmp_path)
    assert done.returncode == 2 and "a file that train wrote" in done.stderr and done.stderr.count("\n") == 1


def test_a_signal_to_stop_is_heeded_and_the_same_command_ends_as_if_it_had_not_come(text, tmp_path):
    steps = ("--text", text, "--steps", 400, "--units", 16, "--every", 50)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    call = [sys.executable, "-u", "-m", "companion.speech", "train", *map(str, steps), "--checkpoint", "parted.pt"]
    running = subprocess.Popen(call, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    while not (tmp_path / "parted.pt").exists():
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode == 130
    assert command("train", *steps, "--checkpoint", "parted.pt", cwd=tmp_path).returncode == 0
    assert command("train", *steps, "--checkpoint", "whole.pt", cwd=tmp_path).returncode == 0
    parted, whole = (torch.load(tmp_path / name, weights_only=True) for name in ("parted.pt", "whole.pt"))
    for name, value in whole["model"].items():
        same = parted["model"][name]
        assert torch.equal(value, same) if isinstance(value, torch.Tensor) else value == same
    assert parted["history"][-1]["bits"] == whole["history"][-1]["bits"]


def test_the_command_learns_as_the_study_does_and_tells_an_interrupt_from_an_end(monkeypatch, capsys):
    asked, ended = [], {"steps": 0}

    def learned(text, checkpoint, **options):
        asked.append(options)
        return [{"step": ended["steps"], "bits": 2.0}] if ended["steps"] else []

    monkeypatch.setattr("companion.speech.command.learn", learned)
    study = Settings()
    for ended["steps"], status in ((0, 130), (study.steps - 1, 130), (study.steps, 0)):
        assert main(["train"]) == status
        assert ("interrupted" in capsys.readouterr().out) == (status == 130)
    same = {"steps": study.steps, "units": study.stream_units, "rate": study.stream_rate, "seed": 0}
    assert all({name: options[name] for name in same} == same for options in asked)


def test_a_file_that_train_did_not_write_is_named_with_the_reason_in_one_line(tmp_path):
    (tmp_path / "bad.pt").write_bytes(b"nothing of the kind")
    for name, why in (("bad.pt", ".+"), ("none.pt", ".*No such file")):
        with pytest.raises(ValueError, match=f"want a file that train wrote, got .*{name}': {why}") as error:
            writer_of(tmp_path / name)
        assert "\n" not in str(error.value)


def test_what_was_learned_is_what_writes(text, tmp_path):
    learn(text, tmp_path / "a.pt", steps=3, units=4)
    state = torch.load(tmp_path / "a.pt", weights_only=True)["model"]
    np.testing.assert_array_equal(writer_of(tmp_path / "a.pt").V, state["head.weight"].double().numpy())
