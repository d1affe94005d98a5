"""Run at the start of each interpreter: wait for `import anthropic`, and restore it.

Executed by its path, before this package is imported and in interpreters that may never need it, so that it
is of the standard library only. The environment says what is wanted; see `environment`.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib takes time
_AFTER_IMPORT = os.path.join(os.path.dirname(_HERE), "_restore", "after_import.py")  # noqa: PTH118, PTH120
_STARTED = "_anthropic_completions_started"


def start() -> None:
    """Have completions restored when `anthropic` is imported. Safe to call twice."""
    if hasattr(sys, _STARTED):
        return
    setattr(sys, _STARTED, True)
    if os.environ.get("ANTHROPIC_COMPLETIONS_RUN") == str(os.getpid()):
        _check_that_the_package_is_here()
    _after_import()("anthropic", _restore)
    if os.environ.get("ANTHROPIC_COMPLETIONS_ALIAS"):
        sys.meta_path.append(_Alias())


def _after_import() -> Callable[[str, Callable[[ModuleType], object]], object]:
    scope: dict[str, object] = {"__name__": "_anthropic_completions_after_import"}
    with open(_AFTER_IMPORT, encoding="utf-8") as file:  # noqa: PTH123
        exec(compile(file.read(), _AFTER_IMPORT, "exec"), scope)  # noqa: S102 - this package's own file
    return scope["after_import"]  # type: ignore[return-value]


def _check_that_the_package_is_here() -> None:
    """End the program that `run` started, where its interpreter does not have this package."""
    from importlib.util import find_spec

    if find_spec("anthropic_completions") is None:
        _tell(
            f"Error: the program's interpreter, {sys.executable}, does not have this package. Install it "
            f"there: {sys.executable} -m pip install 'anthropic-completions[cli]'"
        )
        sys.stderr.flush()
        os._exit(2)


def _restore(module: ModuleType) -> None:
    try:
        from anthropic_completions import restore
    except ImportError:  # a sub-process in another environment, which is none of ours
        _tell_if_verbose(f"{sys.executable} does not have this package; anthropic is left as it is")
        return
    # Warnings of models would be output that the program did not have.
    restore(module, model_warnings=bool(os.environ.get("ANTHROPIC_COMPLETIONS_VERBOSE")))
    version = getattr(module, "__version__", "of an unknown version")
    _tell_if_verbose(f"restored completions to anthropic {version} in process {os.getpid()}")


class _Alias:
    """The last of the finders: has this package stand in for an `anthropic` that no other finder found."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Return the spec of a module of the stand-in; None for all other modules."""
        if name.partition(".")[0] != "anthropic":
            return None
        from anthropic_completions._run.alias import spec_of

        if name == "anthropic":
            _tell_if_verbose(f"anthropic-completions stands in for anthropic in process {os.getpid()}")
        return spec_of(name)


def _tell_if_verbose(message: str) -> None:
    if os.environ.get("ANTHROPIC_COMPLETIONS_VERBOSE"):
        _tell(message)


def _tell(message: str) -> None:
    if sys.stderr is not None:
        print(f"anthropic-completions run: {message}", file=sys.stderr)
