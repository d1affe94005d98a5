"""Where pickles of clients from 0.1.0 look for their pool."""

from __future__ import annotations

from typing import Any

from ._http import pool


def Pool(given: None, kind: str) -> pool.Pool[Any]:  # noqa: N802 - the name that those pickles hold
    """Return the pool of a pickled client, whose kind was the name of a class then."""
    return pool.Pool(
        given, {"DirectClient": pool.blocking_client, "AsyncDirectClient": pool.awaiting_client}[kind]
    )
