"""What the interpreter of a program under test runs first, as an environment's own `sitecustomize` would be.

Waits take no time. The packages that ABSENT names, with commas between them, are there in name only: for what
is imported at the start, never used for Claude, and gigabytes.
"""

import os
import sys
import time
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

time.sleep = lambda seconds: None


class Kind(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return cls


class Anything(metaclass=Kind):
    """A class, a constant, or a decorator with arguments: whatever a module asks for while it is imported."""

    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, function):
        return function


class Absent(MetaPathFinder, Loader):
    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in self.names else None

    def exec_module(self, module):
        module.__getattr__ = lambda name: getattr(Anything, name)


if names := os.environ.get("ABSENT"):
    sys.meta_path.insert(0, Absent(names.split(",")))
