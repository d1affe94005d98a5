"""The old client's defaults: connections, time limits, proxies, certificates."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

import httpx

from ..._options import CONNECT_SECONDS, TIMEOUT_SECONDS
from ..._secrets import REDACTED
from .certificates import trusted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT_TIMEOUT = httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS)
DEFAULT_CONNECTION_LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100)
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


def with_defaults(kwargs: Mapping[str, object], transport: Callable[..., object]) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "timeout": DEFAULT_TIMEOUT,
        "limits": DEFAULT_CONNECTION_LIMITS,
        "follow_redirects": True,
        **kwargs,
    }
    if settings.get("transport") is None:
        names = ("verify", "cert", "trust_env", "http1", "http2", "limits")
        arguments = {name: settings[name] for name in names if name in settings}
        takes_context = getattr(transport, "takes_ssl_context", True)
        if takes_context and arguments.get("verify", True) is True and "cert" not in arguments:
            arguments["verify"] = trusted(
                trust_env=settings.get("trust_env", True), http2=bool(settings.get("http2"))
            )
        arguments["socket_options"] = _socket_options()
        if (proxy := settings.pop("proxy", None)) is not None:
            settings["transport"] = transport(proxy=proxy, **arguments)
        else:
            settings["transport"] = transport(**arguments)
            if settings.get("trust_env", True):
                proxies = {
                    pattern: None if url is None else _proxied(transport, pattern, url, arguments)
                    for pattern, url in environment_proxies().items()
                }
                settings["mounts"] = {**proxies, **(settings.get("mounts") or {})}
    return settings


def _proxied(
    transport: Callable[..., object], pattern: str, url: str, arguments: Mapping[str, object]
) -> object:
    try:
        return transport(proxy=url, **arguments)
    except ImportError as error:
        variable = f"{pattern.removesuffix('://').upper()}_PROXY"
        raise ValueError(
            f"{variable}: {without_password(url)!r} is a SOCKS proxy, which needs the package socksio: "
            f"pip install '{httpx.__name__}[socks]'"
        ) from error
    except ValueError as error:
        raise ValueError(f"{pattern.removesuffix('://').upper()}_PROXY: {error}") from error


def without_password(url: str) -> str:
    """Return a proxy's URL without the user's name and password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{REDACTED}@{rest.rpartition('@')[2]}" if "@" in rest else url


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
            if httpx.URL(url).scheme not in _PROXY_SCHEMES:
                raise ValueError(
                    f"{scheme.upper()}_PROXY: expected the URL of a proxy with one of the schemes "
                    f"{', '.join(_PROXY_SCHEMES)}, got {without_password(url)!r}"
                )
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
