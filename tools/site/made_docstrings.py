"""Show docstrings in the reference as the package has them, where their source is read for it."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

import griffe

# A section of arguments, and an entry of it that tells of more than one: `a, b: As for the client.`
_ARGUMENTS = re.compile(r"^Args:\n(?: .*\n?|\n)+", re.MULTILINE)
_TOGETHER = re.compile(r"^(    )((?:\*{0,2}\w+, )+\*{0,2}\w+):(.*(?:\n {5,}.*)*)", re.MULTILINE)


class MadeDocstrings(griffe.Extension):
    """Take docstrings that are made when the package is imported, and tell of each argument by itself."""

    def on_class(self, *, cls: griffe.Class, **_: object) -> None:
        """Take the docstring of a class such as `Anthropic` from the class itself."""
        if cls.docstring is None and cls.is_public and "__doc__" in cls.members:
            made = getattr(import_module(cls.module.path), cls.name).__doc__
            cls.docstring = griffe.Docstring(inspect.cleandoc(made), parent=cls)

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        """Give each argument an entry of its own."""
        if obj.docstring is not None:
            obj.docstring.value = _ARGUMENTS.sub(_apart, obj.docstring.value)


def _apart(section: re.Match[str]) -> str:
    def entries(entry: re.Match[str]) -> str:
        indent, names, text = entry.groups()
        return "\n".join(f"{indent}{name}:{text}" for name in names.split(", "))

    return _TOGETHER.sub(entries, section[0])
