"""The gateway's settings, from arguments or the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from .. import _options
from .._options.urls import base_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._contract.schema import JSONObject
    from .._options import ModelMapping, OnLoss, Prefill

PREFIX = "ANTHROPIC_COMPLETIONS_GATEWAY_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the gateway does.

    Each has a variable, ANTHROPIC_COMPLETIONS_GATEWAY_ and the name in capitals; those of the bridge
    (`model_map`, `on_loss`, `prefill`, `thinking_room`) the variables that they have for clients, and
    `upstream` is ANTHROPIC_BASE_URL.

    Attributes:
        upstream: Where requests for messages go.
        api_key: The key to ask with. None for that of each caller, which is passed on and kept nowhere.
        client_key: The key that callers must show in the place of theirs; only with `api_key`.
        model_map: As for clients.
        on_loss: `warn` answers and tells in a header and the log, `drop` in the log only, `error` refuses.
        prefill: As for clients.
        thinking_room: As for clients, in tokens.
        passthrough: Names or patterns of models that are asked of the old endpoint, as they came.
        max_retries: How often the gateway tries again; 0 leaves it to its clients.
        timeout: Seconds of silence upstream after which a request is given up.
        body_timeout: Seconds in which a request's body has to come.
        max_body_bytes: The most bytes of a request's body.
        max_concurrency: The most requests at a time; further ones are answered with 529.
        ping_seconds: Seconds of silence in a stream after which the gateway sends a ping.
    """

    upstream: str = _options.BASE_URL
    api_key: str | None = field(default=None, repr=False)
    client_key: str | None = field(default=None, repr=False)
    model_map: ModelMapping | None = None
    on_loss: OnLoss = "warn"
    prefill: Prefill = "drop"
    thinking_room: int = _options.THINKING_ROOM
    passthrough: tuple[str, ...] = ()
    max_retries: int = 0
    timeout: float = 600.0
    body_timeout: float = 30.0
    max_body_bytes: int = 32 * 1024 * 1024
    max_concurrency: int = 1000
    ping_seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.client_key and not self.api_key:
            raise ValueError(
                "client_key: expected an api_key beside it, which is what requests are sent with "
                f"({PREFIX}API_KEY); without both, each caller's own key is passed on"
            )
        base_url(self.upstream, "upstream")
        _options.checked(
            model_map=self.model_map,
            on_loss=self.on_loss,
            prefill=self.prefill,
            thinking_room=self.thinking_room,
            max_retries=self.max_retries,
        )
        for name in ("timeout", "body_timeout", "ping_seconds"):
            _options.seconds(name, getattr(self, name))
        for name in ("max_body_bytes", "max_concurrency"):
            _options.count(name, getattr(self, name))

    @classmethod
    def of_environment(cls, **given: object) -> Settings:
        """Return settings: those that are given and not None, and otherwise the environment's.

        Raises:
            ValueError: One is wrong; it, or its variable, is named.
        """
        settings: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        found = _of_environment(os.environ)
        try:
            return cls(**{**found, **settings})
        except ValueError as error:
            name, colon, rest = str(error).partition(":")
            if name in settings or name not in found:
                raise
            raise ValueError(_VARIABLES[name] + colon + rest) from None

    def is_passed_through(self, model: str) -> bool:
        """Whether a model is asked of the old endpoint."""
        return any(fnmatchcase(model, pattern) for pattern in self.passthrough)


_VARIABLES = {one.name: PREFIX + one.name.upper() for one in fields(Settings)}
_VARIABLES["upstream"] = "ANTHROPIC_BASE_URL"


def _of_environment(variables: Mapping[str, str]) -> JSONObject:
    bridge = ("model_map", "on_loss", "prefill", "thinking_room")
    found = _options.checked_or_environment(**dict.fromkeys(bridge, _options.NOT_GIVEN))
    for one in fields(Settings):
        text = variables.get(variable := _VARIABLES[one.name])
        if not text or one.name in bridge:
            continue
        kind = {"float": float, "int": int}.get(str(one.type), str)
        try:
            found[one.name] = tuple(text.split(",")) if one.name == "passthrough" else kind(text)
        except ValueError:
            raise ValueError(f"{variable}: expected a number, got {text!r}") from None
    return found
