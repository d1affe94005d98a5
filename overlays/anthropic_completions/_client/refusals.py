"""What is said of wrong arguments of a client."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable


def told_as(name: str, function: Callable[..., None]) -> Callable[..., None]:
    """Return a copy of a function of which Python tells by another name, where arguments do not fit."""
    old = cast("FunctionType", function)
    new = FunctionType(old.__code__, old.__globals__, old.__name__, old.__defaults__, old.__closure__)
    new.__kwdefaults__ = old.__kwdefaults__
    new.__annotations__ = old.__annotations__
    new.__module__, new.__doc__, new.__qualname__ = old.__module__, old.__doc__, name
    return new


def wrong_http_client(given: object, wanted: type[object]) -> TypeError:
    """Return the error that says which kind of `http_client` was expected, what came, and what takes that."""
    import httpx

    kind, package = type(given), type(given).__module__.partition(".")[0]
    came = kind.__qualname__ if package == "builtins" else f"{package}.{kind.__qualname__}"
    told = f"http_client: expected an httpx.{wanted.__name__}, got a value of type {came}"
    if isinstance(given, httpx.AsyncClient):
        told += "; that is an async client: use AsyncAnthropic"
    elif isinstance(given, httpx.Client):
        told += "; that is a blocking client: use Anthropic"
    elif package == "httpx2" and httpx.__name__ != "httpx2":
        told += "; to use httpx2, call httpx2.alias_httpx() before anything imports httpx"
    return TypeError(told)
