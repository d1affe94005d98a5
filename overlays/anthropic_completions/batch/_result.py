"""`Result`, and the merged arguments of each of many calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._client.clients import Anthropic, AsyncAnthropic
    from .._contract.completion import Completion
    from ..types.completion_create_params import CreateOptions


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request: either a completion or an error.

    Attributes:
        request: The request, as it was given.
        completion: The completion, or None.
        error: What went wrong, or None.
        seconds: How long the call took with all its attempts and waits; None where that is unknown.
    """

    request: Mapping[str, object]
    completion: Completion | None = None
    error: Exception | None = None
    seconds: float | None = None

    @property
    def id(self) -> Any:
        """The request's `id`; None where it has none."""
        return self.request.get("id")

    def __setstate__(self, state: Sequence[object]) -> None:
        # A pickle of an earlier version lacks the fields that came later.
        for number, field in enumerate(fields(self)):
            object.__setattr__(self, field.name, state[number] if number < len(state) else field.default)


def check_environment(client: Anthropic | AsyncAnthropic) -> None:
    """Have what of the environment cannot work told once, before the first call, not by each result.

    Raises:
        ValueError: It names certificates or proxies that cannot be used.
    """
    from .._http.network import load_certificates

    http = client._pool.get()
    if client.base_url.scheme == "https":
        load_certificates(http)


def checked_concurrency(concurrency: object) -> int:
    """Return a number of calls at a time.

    Raises:
        TypeError, ValueError: It is something else.
    """
    if isinstance(concurrency, bool) or not isinstance(concurrency, int):
        raise TypeError(f"concurrency: expected an integer, got {concurrency!r}")
    if concurrency < 1:
        raise ValueError(f"concurrency: expected 1 or more, got {concurrency}")
    return concurrency


def merged(common: Mapping[str, object], request: Mapping[str, object]) -> CreateOptions:
    """Return the arguments of one call: the common ones, and those of a request over them.

    Raises:
        TypeError: The request is no mapping, or asks for a stream.
    """
    if not isinstance(request, Mapping):
        raise TypeError(f"expected a mapping of arguments, got a value of type {type(request).__name__}")
    arguments = {**common, **request}
    arguments.pop("id", None)
    if arguments.get("stream"):
        raise TypeError("stream: expected a call that returns a completion, got one for a stream")
    return cast("CreateOptions", arguments)  # `create` itself checks them
