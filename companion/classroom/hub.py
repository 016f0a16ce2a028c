"""A hub for a class: what JupyterHub and nbgrader read on a machine where every student has an account."""

import json
from pathlib import Path

from .course import checked_code

__all__ = ["hub"]

EXTENSIONS = ("formgrader", "course-list", "create-assignment")  # of nbgrader, which students do without
CONFIG = """\
# Read by nbgrader in every server of the hub: the course, and the folder through which notebooks go to and fro.
c = get_config()
c.CourseDirectory.course_id = {code!r}
c.Exchange.root = {root!r}
"""
MODES = {"private": 0o700, "exchange": 0o1777}  # in an exchange only who made a folder removes it
SETTINGS = {
    # not a login shell: that would put the system's Python before the hub's
    "jupyter_server_config.json": {"ServerApp": {"terminado_settings": {"shell_command": ["bash"]}}},
    "students/jupyter_server_config.d/nbgrader.json": {
        "ServerApp": {
            "jpserver_extensions": {
                "nbgrader.server_extensions.formgrader": False,
                "nbgrader.server_extensions.course_list": False,
            }
        }
    },
    "students/labconfig/page_config.json": {
        "disabledExtensions": {f"@jupyter/nbgrader:{name}": True for name in EXTENSIONS}
    },
}


def hub(folder: Path, code: str) -> list[Path]:
    """Write the folder of a hub: everyone reads its settings, uses its exchange, and sees nothing of ``private``.

    Parameters
    ----------
    folder : it is made if need be; settings in it are written anew, the exchange and ``private`` are kept.
    code : of the course, as in `release`.

    Raises
    ------
    ValueError
        If the code is not one.
    """
    checked_code(code)
    folder = folder.resolve()
    texts = {
        "jupyterhub_config.py": Path(__file__).with_name("jupyterhub_config.py").read_text("utf-8"),
        "nbgrader_config.py": CONFIG.format(code=code, root=str(folder / "exchange")),
        **{name: json.dumps(settings, indent=1) + "\n" for name, settings in SETTINGS.items()},
    }
    folders = [str(path) for name in texts for path in reversed(Path(name).parents)]
    for name, mode in {**dict.fromkeys(folders, 0o755), **MODES}.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name).chmod(mode)
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
        (folder / name).chmod(0o644)
    return [folder / name for name in texts]
