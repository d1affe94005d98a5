"""The clients and `create`: settings and arguments become a call, and its reply a result.

In come arguments and settings; out go a call for `_http` and, from its reply, a `Completion`, a stream or a
raw response.
"""

from __future__ import annotations

from .clients import Anthropic, AsyncAnthropic

__all__ = ["Anthropic", "AsyncAnthropic"]
