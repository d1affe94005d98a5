"""What Python imports at its start where `anthropic-completions run` put this directory on its path."""

import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib takes time


def _start() -> None:
    path = os.path.join(os.path.dirname(_here), "startup.py")  # noqa: PTH118, PTH120
    scope = {"__name__": "_anthropic_completions_startup", "__file__": path}
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        exec(compile(file.read(), path, "exec"), scope)  # noqa: S102 - this package's own file
    scope["start"]()  # type: ignore[operator]


def _go_on() -> None:
    """Import the `sitecustomize` that would have been imported otherwise."""
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != _here]  # noqa: PTH100
    this = sys.modules.pop("sitecustomize", None)
    try:
        __import__("sitecustomize")
    except ModuleNotFoundError as error:
        if error.name != "sitecustomize":
            raise
        if this is not None:
            sys.modules["sitecustomize"] = this


_start()
_go_on()
