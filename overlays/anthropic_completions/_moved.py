"""Find what pickles of 0.1.0 name by the modules that they had then: `_completion` and `_pool`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

    from ._http.pool import Pool

MODULES = ("_completion", "_pool")


def __getattr__(name: str) -> object:
    if name == "Completion":
        from ._contract.completion import Completion

        return Completion
    if name == "Pool":
        return _pool
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _pool(given: None, kind: str) -> Pool[httpx.Client] | Pool[httpx.AsyncClient]:
    """Return the pool of a pickled client, whose kind was the name of a class then."""
    from ._http.pool import Pool, awaiting_client, blocking_client

    return Pool(given, awaiting_client) if kind == "AsyncDirectClient" else Pool(given, blocking_client)
