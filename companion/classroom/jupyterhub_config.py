"""JupyterHub for a class: each student works under an account of this machine, and instructors have all of nbgrader.

`python -m companion.classroom hub` copies this file into the folder of the hub, beside what nbgrader reads there. It
is yours to edit; https://jupyterhub.readthedocs.io says what else can be set.
"""

import grp
import os
import sys
from pathlib import Path

HERE, BIN = Path(__file__).parent, Path(sys.executable).parent
INSTRUCTORS, STUDENTS = "instructors", "students"  # groups of this machine


def settings(spawner):
    """The folders of Jupyter's settings for a user: a student's server lists assignments, and does not grade."""
    teaches = spawner.user.name in grp.getgrnam(INSTRUCTORS).gr_mem
    return os.pathsep.join(map(str, [HERE] if teaches else [HERE / "students", HERE]))


c = get_config()  # noqa: F821
c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # for this machine alone; a web server with TLS stands before it
c.JupyterHub.db_url = f"sqlite:///{HERE / 'private' / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(HERE / "private" / "cookie_secret")
c.ConfigurableHTTPProxy.command = [str(BIN / "configurable-http-proxy")]
c.ConfigurableHTTPProxy.pid_file = str(HERE / "private" / "proxy.pid")

c.JupyterHub.authenticator_class = "pam"  # the passwords of this machine
c.PAMAuthenticator.allowed_groups = {INSTRUCTORS, STUDENTS}

c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.environment = {
    "PATH": os.pathsep.join([str(BIN), os.environ["PATH"]]),  # `nbgrader`, `python`
    "JUPYTER_CONFIG_PATH": settings,
}
