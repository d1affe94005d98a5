"""The former place of `Completion`, which pickles of 0.1.0 name."""

from __future__ import annotations

from ._contract.completion import Completion as Completion
