"""An `anthropic` of this package's names, for programs that need a 0.x release and find none."""

from __future__ import annotations

from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import NoReturn

import anthropic_completions

# The release whose completions this package is compared with.
VERSION = "0.125.0"
_REMEDY = (
    "anthropic-completions stands in for anthropic (run --alias) and has its completions only; what needs "
    "more needs the package itself: pip install anthropic"
)
# Modules there, with what has their names here.
_MODULES = {
    "_exceptions": "_errors",
    "_constants": "prompts",
    "_types": "_options",
    "_client": "",
    "_streaming": "_stream.streams",
    "resources": "resources",
    "resources.completions": "resources.completions",
    "types": "types",
    "types.completion": "types.completion",
    "types.completion_create_params": "types.completion_create_params",
}


def spec_of(name: str) -> ModuleSpec:
    """Return the spec of a module of the stand-in.

    Raises:
        ImportError: There is none; also where `from anthropic import` asks for a name that there is not.
    """
    part = name.partition(".")[2]
    if part and part not in _MODULES:
        raise ImportError(f"anthropic has no {part!r} here: {_REMEDY}", name=name)
    is_package = part in ("", "resources", "types")
    return ModuleSpec(name, _AliasLoader(_MODULES.get(part, "")), is_package=is_package)


class _AliasLoader(Loader):
    """Fills a module with the names of one of this package."""

    def __init__(self, part: str) -> None:
        self._part = part

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module, still empty."""
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module."""
        name = "anthropic_completions" + (f".{self._part}" if self._part else "")
        source = anthropic_completions if name == "anthropic_completions" else import_module(name)
        module.__dict__["_source"] = source
        module.__doc__ = f"`{name}`, standing in for `{module.__name__}`."
        if hasattr(source, "__all__"):
            module.__dict__["__all__"] = source.__all__
        if source is anthropic_completions:
            module.__dict__.update(
                __version__=VERSION,
                Anthropic=_Anthropic,
                AsyncAnthropic=_AsyncAnthropic,
                Client=_Anthropic,
                AsyncClient=_AsyncAnthropic,
            )


class _StandIn(ModuleType):
    """A module whose names are looked up in another one."""

    def __getattr__(self, name: str) -> object:
        source = self.__dict__.get("_source")
        if source is None or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(name)
        value = getattr(source, name, None)
        if value is None or (isinstance(value, ModuleType) and name != "types"):
            raise AttributeError(f"module {self.__name__!r} has no {name!r} here: {_REMEDY}")
        self.__dict__[name] = value
        return value


def _missing(self: object, name: str) -> NoReturn:
    reason = "" if name.startswith("_") else f" here: {_REMEDY}"
    raise AttributeError(
        f"{type(self).__name__!r} object has no attribute {name!r}{reason}", name=name, obj=self
    )


class _Anthropic(anthropic_completions.Anthropic):
    __getattr__ = _missing


class _AsyncAnthropic(anthropic_completions.AsyncAnthropic):
    __getattr__ = _missing


_Anthropic.__name__ = _Anthropic.__qualname__ = "Anthropic"
_AsyncAnthropic.__name__ = _AsyncAnthropic.__qualname__ = "AsyncAnthropic"
