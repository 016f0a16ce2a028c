"""The runner of studies: records that cannot lie, interrupts that lose nothing, the same rows on any cores."""

import ast
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from companion import studies
from companion.data import store
from companion.studies import __main__ as command
from companion.studies._identity import row_hash, seen_by_a_row
from companion.studies._record import Record
from companion.studies._runner import make, run_study
from tests import toy_study

ROOT = Path(__file__).resolve().parents[1]
TOY = Path(toy_study.__file__).read_text(encoding="utf-8")
KEY = {"seed": 0, "rate": 0.1}


def read(folder, name="toy_study"):
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def write(folder, record, name="toy_study"):
    (folder / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")


def results(folder, name="toy_study"):
    """Everything about the rows that must not differ from run to run."""
    return [(row["key"], row["hash"], row["result"], row.get("weights")) for row in read(folder, name)["rows"]]


def arrays(folder):
    with np.load(folder / "toy_study.npz") as file:
        return {name: file[name] for name in file.files}


def assert_same(one, other):
    assert results(one) == results(other)
    assert {k: v.tobytes() for k, v in arrays(one).items()} == {k: v.tobytes() for k, v in arrays(other).items()}


def edited(folder, monkeypatch, *changes):
    """The toy study with its text changed."""
    text = TOY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    folder.mkdir(parents=True)
    (folder / "toy_study.py").write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("toy_study", folder / "toy_study.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "toy_study", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The folder of a toy study that ran through."""
    folder = tmp_path_factory.mktemp("done")
    run_study(toy_study, folder)
    return folder


# every study


@pytest.mark.parametrize("name", studies.names())
def test_every_study_runs_from_end_to_end_in_seconds(name, tmp_path):
    study = studies.load(name)
    record = run_study(study, tmp_path, quick=True)
    stored = read(tmp_path, name)
    assert stored["metrics"]
    assert len(stored["rows"]) == len(record.planned()[0]) > 0
    assert stored["command"] == f"python -m companion.studies run {name} --quick"
    for row in stored["rows"]:
        assert {"seed", "seeds"} & (row["key"].keys() | vars(seen_by_a_row(study, study.QUICK)).keys())
        assert row["versions"].keys() == {"python", "numpy", "torch", "device"}
        assert row["hash"] == row_hash(study, study.QUICK, row["key"]) != row_hash(study, study.SETTINGS, row["key"])
    assert {file.name for file in tmp_path.iterdir()} >= {f"{name}.json"}


@pytest.mark.parametrize("name", studies.names())
def test_every_stored_record_is_complete_and_made_by_the_study_as_it_stands(name):
    study = studies.load(name)
    record = Record(study, study.SETTINGS, store.STORED)
    assert not record.stale
    assert not record.missing()
    stored = store.record(name)
    assert stored["command"] == f"python -m companion.studies run {name}"
    assert stored["metrics"] == json.loads(json.dumps(study.judge(study.SETTINGS, store.rows(name))))
    assert [row["hash"] for row in stored["rows"]] == [row["hash"] for row in record.planned()[1]]
    assert stored["seconds"] / 60 / 2 <= study.MINUTES <= max(1, 2 * stored["seconds"] / 60)


@pytest.mark.parametrize("name", studies.names())
def test_a_study_is_definitions_only_and_says_what_it_shows(name):
    study = studies.load(name)
    body = ast.parse(Path(study.__file__).read_text(encoding="utf-8")).body
    kinds = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.ClassDef)
    assert all(isinstance(node, kinds) for node in body)
    assert all(isinstance(node.value, ast.Constant) for node in body if isinstance(node, ast.Expr))
    assert not {"main", "argparse"} & vars(study).keys()
    assert study.SHOWS.endswith(".") and study.SHOWS.count(". ") == 0
    assert study.SECTION.startswith(("10", "P.")) and study.MINUTES > 0


# records cannot lie


def test_a_second_stage_follows_from_the_rows_of_the_first(done):
    rows = read(done)["rows"]
    losses = {row["key"]["rate"]: row["result"]["loss"] for row in rows[:2]}
    assert [row["key"]["seed"] for row in rows] == [0, 0, 1, 2]
    assert {row["key"]["rate"] for row in rows[2:]} == {min(losses, key=losses.get)} == {read(done)["metrics"]["rate"]}
    assert list(arrays(done)) == ["0 0.1/V"]


def test_nothing_is_made_twice(done, capsys):
    before = (done / "toy_study.json").read_bytes(), (done / "toy_study.npz").read_bytes()
    run_study(toy_study, done)
    assert "4 rows planned, 4 stored, 0 to make: about 0 min" in capsys.readouterr().out
    assert before == ((done / "toy_study.json").read_bytes(), (done / "toy_study.npz").read_bytes())


def test_a_row_that_was_dropped_is_made_again_and_comes_out_the_same(done, tmp_path, capsys):
    for dropped in range(4):
        folder = tmp_path / str(dropped)
        folder.mkdir()
        record = read(done)
        del record["rows"][dropped]
        write(folder, record)
        (folder / "toy_study.npz").write_bytes((done / "toy_study.npz").read_bytes())
        run_study(toy_study, folder)
        assert_same(folder, done)
        kept = [row["seconds"] for row in read(folder)["rows"]]
        del kept[dropped]
        assert kept == [row["seconds"] for row in record["rows"]]
    assert "1 to make" in capsys.readouterr().out


def test_changed_constants_and_a_dropped_row_leave_no_old_row_beside_new_ones(tmp_path, capsys, monkeypatch):
    """The accident that a record once hid: one row was made again, and the others passed for new."""
    gated = studies.load("gated")
    run_study(gated, tmp_path, quick=True)
    before = read(tmp_path, "gated")
    write(tmp_path, before | {"rows": before["rows"][1:]}, "gated")
    changed = {"rate": 1.0, "units": dict.fromkeys(gated.QUICK.units, 2), "tested": 19}  # shares of 19, not of 20
    monkeypatch.setattr(gated, "QUICK", gated.QUICK._replace(**changed))
    capsys.readouterr()
    run_study(gated, tmp_path, quick=True)
    said, after = capsys.readouterr().out, read(tmp_path, "gated")
    assert "rate was 0.003 and is 1.0" in said and "units was" in said
    n = len(before["rows"])
    assert said.count("stale, to be made again") == 10 and f"and {n - 11} more" in said and f"{n} to make" in said
    assert not {row["hash"] for row in before["rows"]} & {row["hash"] for row in after["rows"]}
    assert len(after["rows"]) == n and after["settings"]["rate"] == 1.0
    assert all(a["result"]["error"] != b["result"]["error"] for a, b in zip(before["rows"], after["rows"], strict=True))


def test_an_interrupted_remake_keeps_no_row_of_the_old_settings(done, tmp_path, monkeypatch):
    write(tmp_path, read(done))
    monkeypatch.setattr(toy_study, "SETTINGS", toy_study.Settings(steps=21))
    record = Record(toy_study, toy_study.SETTINGS, tmp_path)
    assert len(record.stale) == 4
    record.add(*make(toy_study.__name__, KEY, record._seen, "cpu", record.hash(KEY)))
    assert [row["hash"] for row in read(tmp_path)["rows"]] == [record.hash(KEY)]
    assert read(tmp_path)["metrics"] is None


def test_a_row_edited_by_hand_is_stale(done, tmp_path, capsys):
    record = read(done)
    record["rows"][0]["key"]["rate"] = 0.02
    write(tmp_path, record)
    run_study(toy_study, tmp_path)
    said = capsys.readouterr().out
    assert "0 0.02 (its key or its hash was changed by hand)" in said
    assert "0 0.1 (its weights are missing)" in said
    assert_same(tmp_path, done)


def test_settings_that_only_plan_add_and_drop_rows_and_leave_the_others(done, tmp_path, capsys, monkeypatch):
    write(tmp_path, read(done))
    (tmp_path / "toy_study.npz").write_bytes((done / "toy_study.npz").read_bytes())
    monkeypatch.setattr(toy_study, "SETTINGS", toy_study.Settings(seeds=(0, 2, 3)))
    run_study(toy_study, tmp_path)
    said = capsys.readouterr().out
    assert "stale" not in said and "4 rows planned, 3 stored, 1 to make" in said
    assert "no longer planned and left out: 1 0.1" in said
    assert [row["key"]["seed"] for row in read(tmp_path)["rows"]] == [0, 0, 2, 3]
    assert results(tmp_path)[2] == results(done)[3]


def test_a_row_does_not_see_the_settings_that_only_plan(tmp_path, monkeypatch):
    study = edited(tmp_path / "code", monkeypatch, ("steps=settings.steps", "steps=len(settings.seeds)"))
    with pytest.raises(RuntimeError, match=r"row 0 0.01 of toy_study: .*seeds"):
        run_study(study, tmp_path / "out")


def test_fresh_makes_every_row_again(done, tmp_path):
    write(tmp_path, read(done) | {"rows": [row | {"seconds": 1e6} for row in read(done)["rows"]]})
    (tmp_path / "toy_study.npz").write_bytes((done / "toy_study.npz").read_bytes())
    run_study(toy_study, tmp_path, fresh=True)
    assert_same(tmp_path, done)
    assert read(tmp_path)["seconds"] < 1e6


# what a row depends on


PROSE = [
    ('"""Fit a line."""', '"""Fit a line to points."""'),
    ("    net = torch.nn", "    # a comment\n\n    net = torch.nn"),
    ("def noise(rng: np.random.Generator, n: int) -> np.ndarray:", "def noise(rng, n):"),
    ("net, batch, lambda", "\n        net,\n        batch,\n        lambda"),
    ('"rate": best(rows)[0]["rate"]', '"best": best(rows)[0]["rate"]'),
    ("if len([row for row in rows", "if 1 * len([row for row in rows"),
    ("MINUTES = ", "MINUTES, OTHER = 2, "),
    ("from pathlib import Path", "from pathlib import Path, PurePath"),
]
CODE = [
    ("0.1 * rng.normal", "0.2 * rng.normal"),
    ("size=(256, 3)", "size=(255, 3)"),
    ("import os\nimport time", "import posix as os\nimport time"),
    ("net(x) - y", "y - net(x)"),
    ('seed"], step]', 'seed"], step, 1]'),
]


@pytest.mark.parametrize("change", PROSE)
def test_prose_and_what_judges_a_row_do_not_make_it_stale(change, tmp_path, monkeypatch):
    plain, changed = (edited(tmp_path / name, monkeypatch, *c) for name, c in (("a", []), ("b", [change])))
    assert row_hash(plain, plain.SETTINGS, KEY) == row_hash(changed, changed.SETTINGS, KEY)


@pytest.mark.parametrize("change", CODE)
def test_the_code_that_makes_a_row_makes_it_stale(change, tmp_path, monkeypatch):
    plain, changed = (edited(tmp_path / name, monkeypatch, *c) for name, c in (("a", []), ("b", [change])))
    assert row_hash(plain, plain.SETTINGS, KEY) != row_hash(changed, changed.SETTINGS, KEY)


def test_key_and_settings_make_a_row_what_it_is():
    settings = toy_study.SETTINGS
    hashes = [row_hash(toy_study, settings, key) for key in (KEY, KEY | {"seed": 1}, KEY | {"rate": 0.10000001})]
    hashes += [row_hash(toy_study, settings._replace(steps=21), KEY)]
    assert len(set(hashes)) == 4
    assert row_hash(toy_study, settings._replace(seeds=(5,), rates=(0.5,)), KEY) == hashes[0]


def test_a_worker_with_another_copy_of_the_study_is_refused():
    with pytest.raises(ValueError, match="^cluster: want the same tests.toy_study everywhere"):
        make(toy_study.__name__, KEY, Record(toy_study, toy_study.SETTINGS, Path())._seen, "cpu", "0" * 16)


# interrupts

DRIVER = """
import sys
from tests import toy_study
from companion.studies._runner import run_study
try:
    run_study(toy_study, sys.argv[1], jobs=int(sys.argv[2]))
except KeyboardInterrupt:
    sys.exit(130)
"""


def rows_in(path):
    return len(json.loads(path.read_text(encoding="utf-8"))["rows"]) if path.exists() else 0


def wait_for(happened, process=None, seconds=120):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        assert process is None or process.poll() is None
        time.sleep(0.02)


@pytest.mark.parametrize(("how", "jobs"), [("SIGINT", 1), ("SIGKILL", 1), ("SIGINT", 2)])
def test_an_interrupt_loses_at_most_the_rows_under_way(how, jobs, done, tmp_path):
    log = tmp_path / "log"
    log.touch()
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path), str(jobs)],
        cwd=ROOT,
        env=os.environ | {"TOY_LOG": str(log), "TOY_PAUSE": "0.05"},
        start_new_session=True,
    )
    begun = 2 if jobs == 1 else 4  # in the middle of the second row, or of the third and fourth
    wait_for(lambda: len(log.read_text().splitlines()) >= begun and rows_in(tmp_path / "toy_study.json"), process)
    time.sleep(0.2)
    os.killpg(process.pid, getattr(signal, how))  # as a terminal does: the processes of --jobs hear it too
    assert process.wait(60) == (-signal.SIGKILL if how == "SIGKILL" else 130)
    stored = read(tmp_path)
    assert 1 <= len(stored["rows"]) <= 2 and stored["metrics"] is None
    whole = {row["hash"]: row["result"] for row in read(done)["rows"]}
    assert all(row["result"] == whole[row["hash"]] for row in stored["rows"])
    run_study(toy_study, tmp_path)
    assert_same(tmp_path, done)
    versions = {row["hash"]: (row["seconds"], row["versions"]) for row in read(tmp_path)["rows"]}
    assert all(versions[row["hash"]] == (row["seconds"], row["versions"]) for row in stored["rows"])


# rows do not depend on where they are made


def test_two_processes_make_the_same_rows_as_one(done, tmp_path):
    run_study(toy_study, tmp_path, jobs=2)
    assert_same(tmp_path, done)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """The file in which the cluster's workers say which rows they begin."""
    path = tmp_path_factory.mktemp("log") / "log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOY_LOG", str(path))
        yield path


@pytest.fixture(scope="module")
def cluster(log):
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None) as started:
        yield started


def test_a_cluster_makes_the_same_rows_as_one_process(done, tmp_path, cluster, log):
    """Each worker has two threads, which share PyTorch's one generator: a process makes one row at a time."""
    run_study(toy_study, tmp_path, cluster=cluster.scheduler_address)
    assert_same(tmp_path, done)
    workers = {int(line.split()[0]) for line in log.read_text().splitlines()}
    assert workers and os.getpid() not in workers


def test_a_worker_that_is_killed_loses_nothing(done, tmp_path, cluster, log):
    from concurrent.futures import ThreadPoolExecutor

    from distributed import Client

    with Client(cluster.scheduler_address, set_as_default=False) as client:
        client.run(lambda: os.environ.update(TOY_PAUSE="0.05"))
    log.write_text("")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_study, toy_study, tmp_path, cluster=cluster.scheduler_address)
        wait_for(log.read_text)
        victim, *key = log.read_text().splitlines()[0].split()
        os.kill(int(victim), signal.SIGKILL)
        running.result(300)
    begun = [line.split() for line in log.read_text().splitlines()]
    assert [pid == victim for pid, *row in begun if row == key] == [True, False]
    assert_same(tmp_path, done)


def test_an_address_without_a_scheduler_is_refused(tmp_path):
    with pytest.raises(ValueError, match="^cluster: want the address of a dask scheduler, got 'nowhere'"):
        run_study(toy_study, tmp_path, cluster="nowhere")


# what a study may not do


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (('"loss": history[-1]["loss"]', '"loss": float("nan")'), ValueError, "JSON compliant"),
        (('"loss": history[-1]["loss"]', '"loss": 0.1, "seed": 3'), ValueError, "^run: want results with names of"),
        (('"weights": {"V": net', '"weights": {"V": float("inf") * net'), ValueError, "^weights: want finite numbers"),
        (("net.weight.detach().numpy()", "np.random.default_rng(0).random(10**5)"), ValueError, "bytes a file"),
        ((', "weights": {"V": net.weight.detach().numpy()}', ""), ValueError, "^run: want weights of every row"),
        (("rates: tuple[float, ...] = (0.01, 0.1)", "rates: tuple = (0.1, 0.1)"), ValueError, "^plan: want each row"),
        (('UNSEEN = Settings(), ("seeds"', 'UNSEEN = Settings(), ("seed"'), ValueError, "^UNSEEN: want names of"),
    ],
)
def test_a_study_that_breaks_the_rules_is_told(change, error, says, tmp_path, monkeypatch):
    study = edited(tmp_path / "code", monkeypatch, change)
    with pytest.raises(error, match=says):
        run_study(study, tmp_path / "out")


def test_a_file_of_another_kind_is_not_written_over(tmp_path):
    write(tmp_path, {"runs": [], "metrics": {}})
    with pytest.raises(ValueError, match="^out: want a record with rows in .*, got one with runs, metrics"):
        run_study(toy_study, tmp_path)


# the command line


def run_command(*args):
    started = [sys.executable, "-m", "companion.studies", *args]
    return subprocess.run(started, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("args", [("--help",), ("run", "--help"), ("run", "timescales", "--help")])
def test_help_never_starts_training(args):
    before = {p.name: p.stat().st_mtime_ns for p in store.STORED.iterdir()}
    shown = run_command(*args)
    assert shown.returncode == 0 and "usage: python -m companion.studies" in shown.stdout
    assert "rows" not in shown.stdout.split("options:")[0] or args == ("--help",)
    assert before == {p.name: p.stat().st_mtime_ns for p in store.STORED.iterdir()}


def test_list_names_every_study_with_its_section_minutes_rows_and_purpose(capsys):
    assert command.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == studies.names()
    for name, line in zip(studies.names(), lines, strict=True):
        study, n = studies.load(name), len(store.record(name)["rows"])
        assert line.split()[1:6] == [study.SECTION, str(study.MINUTES), str(n), "of", str(n)]
        assert line.endswith(study.SHOWS)


def test_an_unknown_study_is_refused_with_the_names_of_all(capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["run", "nothing"])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "'nothing'" in said and all(name in said for name in studies.names())


def test_quick_rows_go_to_a_folder_of_their_own_and_never_among_the_stored_ones(capsys):
    assert command.main(["run", "timescales", "--quick", "--out", str(store.STORED)]) == 2
    assert "out: want another folder for quick rows" in capsys.readouterr().err
    assert command.main(["run", "timescales", "--quick"]) == 0
    path = Path(capsys.readouterr().out.splitlines()[1].removeprefix("  writes "))
    assert path.name == "timescales.json" and path.is_file() and store.STORED not in path.parents


def test_what_will_be_written_and_how_long_it_takes_is_said_beforehand(tmp_path, capsys):
    run_study(toy_study, tmp_path)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "toy_study (Section 0): Whether the runner does what it says."
    assert said[1] == f"  writes {tmp_path / 'toy_study.json'}, and toy_study.npz beside it"
    assert said[2] == "  2 rows planned, 0 stored, 2 to make: about 1 min"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--jobs", "0"), "jobs: want at least 1, got 0"),
        (("--device", "cuda"), "device: want cpu, as PyTorch finds no"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(args, says, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert command.main(["run", "gated", "--quick", "--out", str(tmp_path), *args]) == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_study_that_stays_on_the_processor_says_so_in_its_rows(tmp_path, monkeypatch):
    study = edited(tmp_path / "code", monkeypatch, ("WEIGHTS = ", "CPU_ONLY, WEIGHTS = True, "))
    run_study(study, tmp_path / "out", device="cuda")
    assert all(row["versions"]["device"].startswith("cpu, ") for row in read(tmp_path / "out")["rows"])


# reading what is stored


@pytest.fixture
def stored(done, monkeypatch):
    monkeypatch.setattr(store, "STORED", done)


def test_rows_are_read_flat_and_chosen_by_their_entries(stored, done):
    first = read(done)["rows"][0]
    assert store.rows("toy_study")[0] == {**first["key"], **first["result"], "seconds": first["seconds"]}
    assert [row["rate"] for row in store.rows("toy_study", seed=0)] == [0.01, 0.1]
    assert store.rows("toy_study", seed=9) == []


def test_weights_are_read_by_the_key_of_their_row(stored, done):
    ((key, weights),) = store.nets("toy_study")
    assert key == KEY
    assert (
        store.weights("toy_study", seed=0)["V"].tobytes() == weights["V"].tobytes() == arrays(done)["0 0.1/V"].tobytes()
    )
    with pytest.raises(ValueError, match="^wanted: want one row of toy_study that has weights, got 0 with"):
        store.weights("toy_study", seed=1)
    with pytest.raises(ValueError, match="^name: want one of toy_study.json, toy_study.npz, got 'other.json'"):
        store.record("other")


def test_rows_are_those_that_have_all_that_is_wanted_and_may_have_nothing_else():
    every = store.rows("adder")
    assert store.rows("adder", **every[0]) == [every[0]]
    assert store.rows("adder", seed=every[1]["seed"]) == [row for row in every if row["seed"] == every[1]["seed"]]
    assert store.rows("adder", seed=every[0]["seed"], seconds=-1) == []
