"""What the exercises ask, section by section: a module lists its section's in `EXERCISES`, and is found by looking."""

import pkgutil
from functools import cache
from importlib import import_module
from typing import Any

__all__ = ["exercise", "exercises", "sections"]


def _modules() -> dict[str, str]:
    """The modules by the numbers of their sections: ``s10_02_2`` is that of 10.2.2, ``p_01`` that of P.1."""
    names = [found.name for found in pkgutil.iter_modules(__path__)]
    parts = {name: name.removeprefix("s").upper().split("_") for name in names}
    return {".".join(part.lstrip("0") for part in parts[name]): name for name in names}


def sections() -> list[str]:
    """The sections that have exercises."""
    return list(_modules())


@cache
def exercises(section: str) -> dict[str, Any]:
    """The exercises of a section, such as ``"10.2.2"``, by their ids."""
    if section not in (modules := _modules()):
        raise ValueError(f"section: want one of {', '.join(modules)}, got {section!r}")
    listed = import_module(f"{__name__}.{modules[section]}").EXERCISES
    found = {item.id: item for item in listed}
    if len(found) < len(listed) or not all(id.startswith(f"{section}-") for id in found):
        raise ValueError(f"EXERCISES: want ids of their own that begin with {section}-, got {list(found)}")
    return found


def exercise(id: str) -> Any:
    """One exercise by its id, such as ``"10.2.2-squared"``."""
    found = exercises(id.partition("-")[0])
    if id not in found:
        raise ValueError(f"id: want one of {', '.join(found)}, got {id!r}")
    return found[id]
