"""`Completion`, under the name of the module that the old client had it in."""

from .._contract.completion import Completion

__all__ = ["Completion"]
