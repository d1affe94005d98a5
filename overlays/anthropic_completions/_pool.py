"""The former place of `Pool`, which pickles of 0.1.0 name."""

from __future__ import annotations

from ._http.pool import Pool as Pool
