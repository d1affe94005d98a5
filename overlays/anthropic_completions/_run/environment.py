"""The environment variables by which `run` tells a program's interpreters what is wanted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SITE = Path(__file__).resolve().parent / "site"
# Said by `run`, read by `startup`: whether to stand in for a missing package, and to tell what is done.
ALIAS = "ANTHROPIC_COMPLETIONS_ALIAS"
VERBOSE = "ANTHROPIC_COMPLETIONS_VERBOSE"
# The process that `run` becomes: a missing package is an error there, and in no other process.
PROCESS = "ANTHROPIC_COMPLETIONS_RUN"


def variables(
    before: Mapping[str, str],
    *,
    backend: str | None = None,
    models: Sequence[str] = (),
    on_loss: str | None = None,
    prefill: str | None = None,
    room: int | None = None,
    alias: bool = False,
    verbose: bool = False,
) -> dict[str, str]:
    """Return the environment of a program.

    Args:
        before: The environment that there is.
        backend, on_loss, prefill: As for `restore`; None leaves what the environment says.
        models: The model map, each `old=new`; empty leaves what the environment says.
        room: The tokens for thinking; None leaves what the environment says.
        alias: Whether this package stands in for a missing `anthropic`.
        verbose: Whether to tell, on standard error, what is restored where.
    """
    said = {
        "BACKEND": backend,
        "MODEL_MAP": ",".join(models) or None,
        "ON_LOSS": on_loss,
        "PREFILL": prefill,
        "THINKING_ROOM": None if room is None else str(room),
    }
    after = {
        **before,
        **{f"ANTHROPIC_COMPLETIONS_{name}": value for name, value in said.items() if value is not None},
        PROCESS: str(os.getpid()),
    }
    for name, wanted in ((ALIAS, alias), (VERBOSE, verbose)):
        if wanted:
            after[name] = "1"
    path = [entry for entry in before.get("PYTHONPATH", "").split(os.pathsep) if entry and entry != str(SITE)]
    return {**after, "PYTHONPATH": os.pathsep.join([str(SITE), *path])}
