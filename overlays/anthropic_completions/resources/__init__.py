"""The resources of a client, under the names that the old client gave them."""

from .completions import AsyncCompletions, Completions

__all__ = ["AsyncCompletions", "Completions"]
