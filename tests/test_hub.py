"""A class on a JupyterHub, as the instructor page describes it: real accounts, passwords and servers on one machine.

The machine is left as it is: the hub runs in a room of its own (`unshare`), which has another /etc, /home and /srv, and
whose processes all end with it.
"""

import contextlib
import getpass
import html
import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import MagicMock

import pytest

pytest.importorskip("nbgrader")

from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory
from traitlets.config import PyFileConfigLoader

from companion.classroom.__main__ import main
from companion.classroom.course import CONFIG
from companion.classroom.gate import hidden, leaking
from companion.exercises.editions import BEGIN, END, SOURCES, source

from .conftest import ROOT

PAGE = "10_02_2"
COURSE = "ml-2026"
GUIDE = (ROOT / "book" / "exercises" / "teaching.md").read_text("utf-8").split("## A class on a JupyterHub")[1]
ROOTS, RELEASES, COLLECTS = (block.splitlines() for block in re.findall(r"```bash\n(.+?)```", GUIDE, re.DOTALL))
EXCHANGE = f"/srv/hub/exchange/{COURSE}"
UNSHARE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def test_everyone_reads_a_hubs_settings_and_only_root_its_secrets(tmp_path, capsys):
    folder = tmp_path / "hub"
    before = os.umask(0o077)
    try:
        assert main(["hub", str(folder), "--course", COURSE]) == 0
        assert main(["hub", str(folder), "--course", COURSE]) == 0
    finally:
        os.umask(before)
    modes = {str(path.relative_to(folder)): path.stat().st_mode & 0o7777 for path in folder.rglob("*")}
    assert modes.pop("private") == 0o700 and modes.pop("exchange") == 0o1777
    assert all(mode == (0o755 if (folder / name).is_dir() else 0o644) for name, mode in modes.items()), modes
    [listed] = re.findall(r"✓ (.+/nbgrader_config.py)", capsys.readouterr().out)[:1]
    assert repr(COURSE) in Path(listed).read_text() and repr(str(folder / "exchange")) in Path(listed).read_text()
    assert main(["hub", str(folder), "--course", "a/b"]) == 2
    assert "course: want letters" in capsys.readouterr().err


def test_a_hub_asks_for_the_machines_passwords_and_answers_the_machine_alone(tmp_path):
    jupyterhub = pytest.importorskip("jupyterhub")
    main(["hub", str(tmp_path), "--course", COURSE])
    c = PyFileConfigLoader("jupyterhub_config.py", str(tmp_path)).load_config()
    assert int(jupyterhub.__version__.split(".")[0]) >= 6
    assert c.JupyterHub.bind_url.startswith("http://127.0.0.1:") and c.JupyterHub.authenticator_class == "pam"
    assert c.PAMAuthenticator.allowed_groups == {"instructors", "students"} and "allow_all" not in str(c)
    assert all(str(tmp_path / "private") in place for place in (c.JupyterHub.db_url, c.JupyterHub.cookie_secret_file))


def test_what_is_collected_goes_by_accounts_and_never_by_links(tmp_path, monkeypatch):
    monkeypatch.setattr("nbgrader.exchange.default.collect.Gradebook", MagicMock())  # asked for a day it is due
    inbound, me = tmp_path / "exchange" / COURSE / "inbound", getpass.getuser()
    names = [f"{who}+{PAGE}+2026-10-0{day} 12:00:00 UTC+x" for day, who in enumerate(("ada", "bob"), 1)]
    for name in names:
        (inbound / name).mkdir(parents=True)
        (inbound / name / f"{PAGE}.ipynb").write_text(name)
    (tmp_path / "nbgrader_config.py").write_text(CONFIG.format(code=COURSE, root=str(tmp_path)))
    config = PyFileConfigLoader("nbgrader_config.py", str(tmp_path)).load_config()
    config.Exchange.root, config.ExchangeCollect.update = str(tmp_path / "exchange"), True
    collect = ExchangeFactory(config=config).Collect(
        coursedir=CourseDirectory(config=config, assignment_id=PAGE), config=config
    )
    collect.start()
    [found] = tmp_path.glob("handed-in/*/*/*")
    assert found.parts[-3] == me and found.read_text() == names[1]  # not ada's, nor bob's: of this account, the newest
    secret = tmp_path / "secret"
    secret.write_text("what the instructor alone may read")
    (inbound / names[1] / "mine").symlink_to(secret)
    collect.start()
    assert not [path for path in tmp_path.glob("handed-in/**/*") if path.is_file()]


# ---- the room --------------------------------------------------------------------------------------------------


def veiled():
    """Folders that only their owner may enter, with what other accounts need from inside them: Python and the book."""
    found = {}
    for need in sorted({Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve(), ROOT}):
        for folder in reversed(need.parents):
            if not folder.stat().st_mode & 0o001:
                found.setdefault(folder, []).append(need)
                break
    return found


def furnished(keep):
    """Commands that give the room its own /etc, /home and /srv, and open what is veiled."""
    yield f"set -eu; umask 022; mount -t tmpfs -o mode=755 tmpfs {keep}"
    yield f"cp -a /etc {keep}/etc; mount --bind {keep}/etc /etc"
    yield "for d in /home /srv; do mount -t tmpfs -o mode=755 tmpfs $d; done"
    for folder, needs in veiled().items():
        for i, need in enumerate(needs):
            yield f"mkdir {keep}/{i}; mount --bind {need} {keep}/{i}"
        yield f"mount -t tmpfs -o mode=755 tmpfs {folder}"
        for i, need in enumerate(needs):
            yield f"mkdir -p {need}; mount --bind {keep}/{i} {need}; umount {keep}/{i}"


def free_ports(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def hub(tmp_path):
    """The guide's commands for root in a room of their own; the address of the hub that the last of them starts."""
    pytest.importorskip("jupyterhub")
    pytest.importorskip("configurable_http_proxy")
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True)
    if tried.returncode:  # in CI too: a container may withhold this, and `make test` needs no accounts
        pytest.skip(f"no room can be made for accounts on this machine (want root): {tried.stderr}")
    port, inner, proxy = free_ports(3)
    keep = tmp_path / "room"
    keep.mkdir()
    *prepare, start = ROOTS
    start += (
        f" --JupyterHub.bind_url=http://127.0.0.1:{port} --JupyterHub.hub_bind_url=http://127.0.0.1:{inner}"
        f" --ConfigurableHTTPProxy.api_url=http://127.0.0.1:{proxy}"
    )
    passwords = "printf '%s\\n' noether:n ada:a bob:b eve:e | chpasswd"
    lines = [*furnished(keep), *prepare, "useradd --create-home eve", passwords, f"exec {start}"]
    env = {
        **{name: value for name, value in os.environ.items() if name in ("LANG", "OMP_NUM_THREADS")},
        "PATH": f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(ROOT),
        "HOME": "/root",
    }
    with (tmp_path / "log").open("w") as log:
        room = subprocess.Popen([*UNSHARE, "bash", "-c", "\n".join(lines)], env=env, cwd="/", stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}", lambda: (room.poll(), (tmp_path / "log").read_text())
    finally:
        room.kill()  # and with the first process of the room all others
        room.wait()


# ---- who works in it -------------------------------------------------------------------------------------------


class Someone:
    """An account of the hub, at a browser."""

    def __init__(self, address, name, password):
        import requests

        self.address, self.name, self.sockets = address, name, []
        self.web = requests.Session()
        self.web.get(f"{address}/hub/login", timeout=30)
        form = {"username": name, "password": password, "_xsrf": self.web.cookies.get("_xsrf", path="/hub/")}
        self.login = self.web.post(f"{address}/hub/login", data=form, timeout=30, allow_redirects=False)

    def leave(self):
        """Close what is open; the servers go on."""
        for one in (*self.sockets, self.web):
            one.close()

    def ask(self, verb, path, **options):
        """What the hub or a server answers."""
        answer = self.web.request(verb, f"{self.address}/{path}", timeout=120, **options)
        assert answer.ok, (self.name, verb, path, answer.status_code, answer.text[-2000:])
        return answer.json() if answer.content else None

    def identify(self):
        """Talk to the hub by a token of one's own."""
        self.web.headers["X-XSRFToken"] = self.web.cookies.get("_xsrf", path="/hub/")
        token = self.ask("POST", f"hub/api/users/{self.name}/tokens", json={})["token"]
        self.web.headers["Authorization"] = f"token {token}"
        self.web.cookies.clear()

    def server(self, verb, there=True):
        """Start or stop one's own server, or wait until it has."""
        if verb != "GET":
            self.ask(verb, f"hub/api/users/{self.name}/server")
            return
        for _ in range(240):
            servers = self.ask("GET", f"hub/api/users/{self.name}")["servers"]
            if servers[""]["ready"] if there and servers else not there and not servers:
                return
            time.sleep(0.5)
        raise AssertionError(f"the server of {self.name}: want it {'ready' if there else 'stopped'}, got {servers}")

    def own(self, verb, path, **options):
        """What one's own server answers."""
        return self.ask(verb, f"user/{self.name}/{path}", **options)

    def status(self, path):
        """How a server answers."""
        return self.web.get(f"{self.address}/{path}", timeout=60, allow_redirects=False).status_code

    def assignments(self, what):
        """Press a button of the list of assignments; the list."""
        got = self.own("POST", f"assignments/{what}", json={"course_id": COURSE, "assignment_id": PAGE})
        assert got["success"], got["value"]
        return got["value"]

    def terminal(self):
        """Open a terminal; a function that types a line there, and returns what it says and its exit status."""
        import websocket

        name = self.own("POST", "api/terminals")["name"]
        address = self.address.replace("http", "ws") + f"/user/{self.name}/terminals/websocket/{name}"
        ws = websocket.create_connection(address, header=[f"Authorization: {self.web.headers['Authorization']}"])
        self.sockets.append(ws)
        ws.send(json.dumps(["set_size", 50, 500]))

        def typed(line):
            ws.settimeout(150)
            ws.send(json.dumps(["stdin", f"{line}; echo en''ded $?\r"]))
            said = ""
            while not (end := re.search(r"ended (\d+)", said)):
                kind, *text = json.loads(ws.recv())
                said += text[0] if kind == "stdout" else ""
            return said, int(end[1])

        return typed


@pytest.fixture
def comes(hub):
    """Let someone come to the hub, once it answers; all leave in the end."""
    import requests

    address, room = hub
    for _ in range(240):
        status, log = room()
        assert status is None, log
        try:
            requests.get(f"{address}/hub/api/", timeout=30).raise_for_status()
            break
        except requests.RequestException:
            time.sleep(0.5)
    else:
        pytest.fail(f"the hub does not answer: {room()[1]}")
    with contextlib.ExitStack() as leave:

        def come(name, password):
            someone = Someone(address, name, password)
            leave.callback(someone.leave)
            return someone

        yield come


def solution(nb, name):
    """A solution of the source, as a student would write it."""
    [text] = [cell.source for cell in nb.cells if cell.metadata.nbgrader.grade_id == f"10-2-2-{name}-solution-1"]
    return "\n".join(line for line in text.splitlines() if BEGIN not in line and END not in line)


def hand_in(student, answers):
    """Fetch the page, write answers into it, submit it."""
    assert [(one["assignment_id"], one["status"]) for one in student.assignments("fetch")] == [(PAGE, "fetched")]
    given = student.own("GET", f"api/contents/{PAGE}/{PAGE}.ipynb")["content"]
    for cell in given["cells"]:
        cell["source"] = answers.get(cell["metadata"]["nbgrader"]["grade_id"], cell["source"])
    student.own("PUT", f"api/contents/{PAGE}/{PAGE}.ipynb", json={"type": "notebook", "content": given})
    assert "submitted" in {one["status"] for one in student.assignments("submit")}


def refused(typed, line):
    """What the rights of an account forbid."""
    said, status = typed(line)
    assert status and ("Permission denied" in said or "not permitted" in said), said


@pytest.mark.slow
def test_a_class_goes_through_the_exchange_of_a_hub_and_each_sees_only_what_is_theirs(comes):
    assert comes("ada", "wrong").login.status_code == 403
    assert comes("eve", "e").login.status_code == 403  # an account of the machine, in neither group
    noether, ada, bob = people = [comes(name, name[0]) for name in ("noether", "ada", "bob")]
    for one in people:
        assert one.login.status_code == 302, one.login.text
        one.identify()
        one.server("POST")
    for one in people:
        one.server("GET")

    # the instructor releases, the students hand in: one is right, the other forgets the half
    teacher = noether.terminal()
    for line in RELEASES:
        said, status = teacher(line)
        assert status == 0, said
    nb = source(PAGE, ROOT / SOURCES)
    right = {f"10-2-2-{name}-solution-1": solution(nb, name) for name in ("squared", "start", "sliding")}
    half = "def bptt_squared(p, x, y):\n    run = rnn_forward(p, x)\n    g_o = 2 * (run.o - y)\n"
    half += "    return sum_over_copies(backward(p, run.h, g_o), x, run.h)"
    hand_in(ada, right)
    hand_in(bob, {**right, "10-2-2-squared-solution-1": half})

    # what a student may not do
    student = bob.terminal()
    assert "bob" in student("id --user --name")[0].split()
    for line in (
        f"ls {EXCHANGE}/inbound",
        f"mv {EXCHANGE} {EXCHANGE}-mine",
        f"touch {EXCHANGE}/outbound/{PAGE}/{PAGE}.ipynb",
        "ls /home/ada",
        "cat /home/noether/ml-2026/class.json",
        "ls /srv/hub/private",
    ):
        refused(student, line)
    assert bob.status("user/ada/api/contents") == bob.status("user/noether/api/contents") == 403
    assert bob.status("user/bob/formgrader/api/assignments") == 404
    assert noether.status("user/noether/formgrader/api/assignments") == 200
    for one, without in (noether, False), (bob, True):
        lab = html.unescape(one.web.get(f"{one.address}/user/{one.name}/lab", timeout=60).text)
        assert ("@jupyter/nbgrader:formgrader" in lab.split("disabledExtensions")[1].split("]")[0]) == without, one.name
    # a submission under another's name, newer than hers, counts as his own
    said, status = student(f"nbgrader submit {PAGE} --student ada")
    assert status == 0, said

    for line in COLLECTS:
        said, status = teacher(line)
        assert status == 0, said
        if " grade " in line:
            assert "ada/10_02_2: 12 of 22 points" in said and "bob/10_02_2: 10 of 22 points" in said, said

    refused(student, f"ls {EXCHANGE}/feedback")

    # each fetches feedback, in which the case is named that failed, and nothing else is given away
    seed = json.loads(noether.own("GET", f"api/contents/{COURSE}/class.json")["content"])["seed"]
    for one, word in (ada, "12 of 22 points"), (bob, "the ½ in front of the square"):
        one.assignments("fetch_feedback")
        times = one.own("GET", f"api/contents/{PAGE}/feedback")["content"]
        pages = [one.own("GET", f"api/contents/{when['path']}/{PAGE}.html")["content"] for when in times]
        assert len(pages) == 1
        shown = html.unescape(re.sub("<[^>]+>", "", pages[0]))
        assert word in shown, one.name
        own = "\n".join([*right.values(), half])
        assert seed not in pages[0] and not leaking(f"{pages[0]}\n{shown}", hidden(nb, seed), own)

    # and her Formgrader shows the class
    [link] = re.findall(r"`(ln -s .+?)`", GUIDE)
    assert teacher(link)[1] == 0
    noether.server("DELETE")
    noether.server("GET", there=False)
    noether.server("POST")
    noether.server("GET")
    marked = noether.own("GET", f"formgrader/api/submissions/{PAGE}")
    assert {(one["student"], one["score"]) for one in marked} == {("ada", 12), ("bob", 10)}
