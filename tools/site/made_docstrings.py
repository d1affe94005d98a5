"""Show docstrings that are made when the package is imported, as of `Anthropic`, in the reference."""

from __future__ import annotations

import inspect
from importlib import import_module

import griffe


class MadeDocstrings(griffe.Extension):
    """Take the docstring of a class from the class itself where its source has none."""

    def on_class(self, *, cls: griffe.Class, **_: object) -> None:
        """Look at one class."""
        if cls.docstring is None and cls.is_public and "__doc__" in cls.members:
            made = getattr(import_module(cls.module.path), cls.name).__doc__
            cls.docstring = griffe.Docstring(inspect.cleandoc(made), parent=cls)
