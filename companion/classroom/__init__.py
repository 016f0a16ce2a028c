"""The exercises in a class: handed out, repaired, marked and reported with nbgrader, by four commands.

    python -m companion.classroom release CLASS --course ml-2026   # a folder for the class, and in it what to hand out
    python -m companion.classroom doctor CLASS/handed-in           # what would be repaired in what came back
    python -m companion.classroom grade CLASS/handed-in            # marks, each with a sentence
    python -m companion.classroom report CLASS                     # tables, feedback pages

The folder of a class is nbgrader's own (``source``, ``release``, ``submitted``, ``autograded``, ``feedback``,
``gradebook.db``), so that its formgrader opens it for what is marked by hand. It needs the extra ``classroom``. A fifth
command, ``hub``, sets up a JupyterHub on which notebooks go to and fro by nbgrader's exchange (extra ``hub``).
"""

import os
import sys
from pathlib import Path

# nbgrader starts `alembic` by its bare name; it stands beside the Python that runs, which need not be on the path.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
