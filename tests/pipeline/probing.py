"""Run probes of a package once for each step of making it that is left out, and print what they print.

Standard input is JSON: the probes, each with what it should print, and the steps, each a file with the text
that it has without the step. A step's probes run in a child, up to the first that prints what it should not.
"""

import contextlib
import importlib
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PACKAGES = ("anthropic_completions", "__")


def in_child(work: Callable[[], Any]) -> Any:
    """Return what is made in a child, which loads nothing here."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        with os.fdopen(writer, "w", encoding="utf-8") as file:
            json.dump(work(), file)
            file.flush()
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as file:
        text = file.read()
    os.waitpid(child, 0)
    return json.loads(text)


def results(probes: dict[str, tuple[str, str]], *, whole: bool) -> dict[str, str]:
    """Return what the probes print: all of them, or none after the first that prints what it should not."""
    found = {}
    for name, (code, expected) in probes.items():
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(code, {})
            found[name] = printed.getvalue().strip()
        except BaseException as error:
            found[name] = f"{type(error).__name__}: {error}"
        if not whole and found[name] != expected:
            break
    return found


def main() -> None:
    """Run the probes for each step."""
    probes, steps = json.load(sys.stdin)
    whole = len(steps) == 1

    def others() -> list[str]:
        results(probes, whole=True)
        return [name for name in sys.modules if not name.startswith(PACKAGES)]

    if not whole:
        # What is loaded of other packages takes longest: it is loaded once for all steps.
        for name in in_child(others):
            importlib.import_module(name)
    for path, text in steps:
        if text is not None:
            before = Path(path).read_text(encoding="utf-8")
            Path(path).write_text(text, encoding="utf-8")
        print(json.dumps(in_child(lambda: results(probes, whole=whole))))
        if text is not None:
            Path(path).write_text(before, encoding="utf-8")


if __name__ == "__main__":
    main()
