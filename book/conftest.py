"""Settings for `pytest --nbval book`."""

import os

# a progress bar's text differs from run to run, so none may reach an output
os.environ["TQDM_DISABLE"] = "1"
