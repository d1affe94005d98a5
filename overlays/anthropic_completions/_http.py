"""The httpx clients that are made where none is given, with the old client's defaults."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

import httpx

from ._options import CONNECT_SECONDS, TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_TIMEOUT = httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS)
DEFAULT_CONNECTION_LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100)


class DefaultHttpxClient(httpx.Client):
    """An `httpx.Client` with this package's defaults; arguments change them one by one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**_with_defaults(kwargs, httpx.HTTPTransport))


class DefaultAsyncHttpxClient(httpx.AsyncClient):
    """An `httpx.AsyncClient` with this package's defaults; arguments change them one by one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**_with_defaults(kwargs, httpx.AsyncHTTPTransport))


def _with_defaults(kwargs: Mapping[str, Any], transport: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "timeout": DEFAULT_TIMEOUT,
        "limits": DEFAULT_CONNECTION_LIMITS,
        "follow_redirects": True,
        **kwargs,
    }
    if settings.get("transport") is None:
        names = ("verify", "cert", "trust_env", "http1", "http2", "limits")
        arguments = {name: settings[name] for name in names if name in settings}
        if arguments.get("verify", True) is True and "cert" not in arguments:
            # Loading certificates is slow: once for all transports.
            arguments["verify"] = httpx.create_ssl_context(trust_env=settings.get("trust_env", True))
        arguments["socket_options"] = _socket_options()
        if (proxy := settings.pop("proxy", None)) is not None:
            settings["transport"] = transport(proxy=proxy, **arguments)
        else:
            settings["transport"] = transport(**arguments)
            if settings.get("trust_env", True):
                proxies = {
                    pattern: None if url is None else transport(proxy=url, **arguments)
                    for pattern, url in environment_proxies().items()
                }
                settings["mounts"] = {**proxies, **(settings.get("mounts") or {})}
    return settings


def _socket_options() -> list[tuple[int, int, int]]:
    """Return options that keep an idle connection alive and notice a dead one, where the system has them."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    # macOS calls the idle time TCP_KEEPALIVE.
    idle = "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE"
    for name, value in ((idle, 60), ("TCP_KEEPINTVL", 60), ("TCP_KEEPCNT", 5)):
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    return options


def environment_proxies() -> dict[str, str | None]:
    """Return the proxies that the environment names, as patterns of URLs; None is no proxy.

    The variables are HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY. httpx reads them itself only where
    it makes the transport.

    Raises:
        ValueError: One of the proxies is no URL.
    """
    found = getproxies()
    proxies: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        if url := found.get(scheme):
            url = url if "://" in url else f"http://{url}"
            if not _is_url(url):  # not repeated, as it may hold a password
                raise ValueError(f"{scheme.upper()}_PROXY: expected the URL of a proxy, got something else")
            proxies[f"{scheme}://"] = url
    for host in (part.strip() for part in found.get("no", "").split(",")):
        if host == "*":
            return {}
        # As in other programs, what is no host excepts nothing.
        if host and _is_url(pattern := _no_proxy_pattern(host)):
            proxies[pattern] = None
    return proxies


def _is_url(text: str) -> bool:
    try:
        httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return True


def _no_proxy_pattern(host: str) -> str:
    if "://" in host:
        return host
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return f"all://{host}" if host.lower() == "localhost" else f"all://*{host}"
    return f"all://[{address}]" if address.version == 6 else f"all://{address}"
