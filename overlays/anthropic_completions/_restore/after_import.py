"""Call a function when a module has been imported. Of the standard library only.

`anthropic-completions run` and the `.pth` file of its `--install` execute this file by its path at the start
of every interpreter, before this package is imported: it has to be small and to need nothing.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType


def after_import(name: str, function: Callable[[ModuleType], object]) -> Callable[[], None]:
    """Have a function called with a module once it is imported, or at once where it is already.

    Args:
        name: The module's full name.
        function: Called with the module, before whoever imports it goes on.

    Returns:
        A function that takes the wish back, for a module that is not imported by then.
    """
    if name in sys.modules:
        function(sys.modules[name])
    finder = _Finder(name, function)
    sys.meta_path.insert(0, finder)

    def forget() -> None:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)

    return forget


class _Finder:
    """A finder that asks the other finders, and puts a loader of its own before theirs."""

    def __init__(self, name: str, function: Callable[[ModuleType], object]) -> None:
        self.name = name
        self.function = function

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of the module that is waited for; None for every other one."""
        if name != self.name:
            return None
        at = sys.meta_path.index(self) + 1 if self in sys.meta_path else 0
        for finder in sys.meta_path[at:]:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = None if find is None else find(name, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader, self)  # type: ignore[assignment,arg-type]
                return spec
        return None


class _Loader:
    """Another loader, and what comes after it."""

    def __init__(self, loader: Loader, finder: _Finder) -> None:
        self._loader = loader
        self._finder = finder

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Return what the other loader makes."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Load the module as it is, then call the function."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        if self._finder in sys.meta_path:
            self._finder.function(module)
