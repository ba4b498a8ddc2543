"""Where the jar is; the wheel for a platform carries it beside this module."""

from __future__ import annotations

import os
from pathlib import Path

from sparkqlora.errors import QLoraError

_VARIABLE = "SPARKQLORA_JAR"
_CARRIED = Path(__file__).with_name("spark-qlora.jar")
_BUILT = Path("target", "spark-qlora.jar")


def found() -> Path:
    """Return the jar that ``SPARKQLORA_JAR`` names, else the installed one, else that of a build in this folder.

    :raises QLoraError: when there is none
    """
    carried_or_built = _CARRIED if _CARRIED.is_file() else _BUILT
    jar = Path(os.environ.get(_VARIABLE, carried_or_built))
    if not jar.is_file():
        raise QLoraError(
            f"Cannot start: expected spark-qlora.jar at {jar}, found nothing. Set {_VARIABLE} to its path, or install "
            "the wheel that carries it"
        )

    return jar
