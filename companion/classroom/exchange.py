"""What comes through nbgrader's exchange."""

from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect

__all__ = ["Collect"]


class Collect(ExchangeCollect):
    """nbgrader's `collect`, which trusts the folders that students make, and here does so less.

    A submission belongs to the account that made it, whatever name it bears. One with a link in it, which could lead
    to what only the instructor may read, is left out.
    """

    def _path_to_record(self, path: str) -> dict:
        import pwd  # not on Windows, where there is no exchange

        return {**super()._path_to_record(path), "username": pwd.getpwuid(Path(path).lstat().st_uid).pw_name}

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy a submission that is all there."""
        if any(path.is_symlink() for path in (Path(src), *Path(src).rglob("*"))):
            self.log.warning("%s is left out: there is a link in it", src)
        else:
            super().do_copy(src, dest, log)
