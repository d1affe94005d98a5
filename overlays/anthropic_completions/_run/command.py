"""Find the command that starts a program, refuse what would not be restored, and become it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Options of Python with which it takes no notice of PYTHONPATH, alone or among other letters.
_ISOLATED = re.compile(r"-[a-zA-Z]*[EI][a-zA-Z]*")
_WITHOUT_SITE = re.compile(r"-[a-zA-Z]*S[a-zA-Z]*")
_PYTHON = re.compile(r"(python|pypy)[0-9.]*(\.exe)?")
# Options of Python that take their value from the next argument.
_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")


class CannotRunError(ValueError):
    """A program cannot be started, or would be started without completions."""


def command_of(program: str, arguments: Sequence[str]) -> list[str]:
    """Return the command that starts a program.

    Args:
        program: `-m`, the path of a Python file, or a command as a shell would find it.
        arguments: The program's arguments; for `-m`, the module's name first.

    Raises:
        CannotRunError: There is no such program, or Python's options or the first line of its script keep the
            environment from its interpreter.
    """
    if program == "-m":
        if not arguments:
            raise CannotRunError("-m: expected a module's name after it")
        return [sys.executable, "-m", *arguments]
    if program.endswith(".py") and Path(program).is_file():
        return [sys.executable, program, *arguments]
    found = shutil.which(program)
    if found is None:
        raise CannotRunError(
            f"PROGRAM: expected a command, a Python file or -m MODULE, got {program!r}, which is not found"
        )
    if _PYTHON.fullmatch(Path(found).name):
        _check_options(f"{program} {{}}", arguments)
    else:
        first = _first_line(found)
        if first and _PYTHON.search(Path(first[0]).name):
            _check_options(f"the first line of {found}, which says {{}}", first[1:])
    return [found, *arguments]


def execute(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Become a program. Where processes cannot be replaced, wait for it and return its exit code.

    Raises:
        CannotRunError: The operating system cannot execute it.
    """
    try:
        if hasattr(os, "fork"):
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os.execve(command[0], [*command], {**environment})  # noqa: S606 - what the user asked for
        return _wait_for(command, environment)
    except OSError as error:
        raise CannotRunError(f"{command[0]}: {error.strerror or error}") from error


def _wait_for(command: Sequence[str], environment: Mapping[str, str]) -> int:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program gets it too, and decides
    try:
        return subprocess.run([*command], env={**environment}, check=False).returncode  # noqa: S603
    finally:
        signal.signal(signal.SIGINT, before)


def _check_options(where: str, arguments: Sequence[str]) -> None:
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in _WITH_VALUE:
            skip = True
        elif not argument.startswith("-") or argument in ("-", "-c", "-m"):
            return
        elif _ISOLATED.fullmatch(argument) or _WITHOUT_SITE.fullmatch(argument):
            otherwise = (
                ""
                if _WITHOUT_SITE.fullmatch(argument)
                else ", or run `anthropic-completions run --install` once in its environment"
            )
            raise CannotRunError(
                f"{where.format(argument)}: with this option Python takes no notice of what run tells it. "
                f"Start the program without it{otherwise}"
            )


def _first_line(path: str) -> list[str]:
    """Return the words after the `#!` of a script; none of what is no script."""
    try:
        with Path(path).open("rb") as file:
            line = file.readline(1024)
    except OSError:
        return []
    words = line[2:].decode(errors="replace").split() if line.startswith(b"#!") else []
    if words and Path(words[0]).name == "env":
        words = [word for word in words[1:] if word != "-S" and "=" not in word]
    return words
