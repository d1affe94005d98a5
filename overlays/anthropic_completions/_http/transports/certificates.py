"""Load the certificates to trust: once in a process, and only where a connection is encrypted."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


# What certificates in text begin with.
BEGIN = b"-----BEGIN "


class DeferredContext(ssl.SSLContext):
    """Certificates that are loaded when the first connection is encrypted, as `http://` needs none.

    httpcore names the protocols to offer right before it encrypts: then they are loaded, and from then on
    the loaded context does the work. What is not handed on trusts nobody.
    """

    _load: Callable[[], ssl.SSLContext]

    @classmethod
    def of(cls, load: Callable[[], ssl.SSLContext]) -> DeferredContext:
        """Make one of what loads the certificates."""
        new = cls(ssl.PROTOCOL_TLS_CLIENT)
        new._load = load
        return new

    def loaded(self) -> ssl.SSLContext:
        """Return the context with the certificates, the same one each time."""
        found: ssl.SSLContext | None = self.__dict__.get("_loaded")
        # Of two threads one's is kept. A lock could be held for ever in the child of a fork.
        return found or self.__dict__.setdefault("_loaded", self._load())

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        self.loaded().set_alpn_protocols(alpn_protocols)

    def wrap_socket(self, *args: object, **kwargs: object) -> ssl.SSLSocket:
        return self.loaded().wrap_socket(*args, **kwargs)  # type: ignore[arg-type]

    def wrap_bio(self, *args: object, **kwargs: object) -> ssl.SSLObject:
        return self.loaded().wrap_bio(*args, **kwargs)  # type: ignore[arg-type]


def loaded(context: ssl.SSLContext) -> ssl.SSLContext:
    """Return the context to encrypt with; anyio would start a thread for any but the standard library's."""
    return context.loaded() if isinstance(context, DeferredContext) else context


def trusted(*, trust_env: bool, http2: bool) -> ssl.SSLContext:
    """Return the certificates to trust, one context for all clients of a process that are set up alike.

    As httpx: those of SSL_CERT_FILE, else of SSL_CERT_DIR, else certifi's.

    Raises:
        ValueError: SSL_CERT_FILE names no file with certificates, or SSL_CERT_DIR no folder. They are loaded
            when they are needed.
    """
    file, folder = (os.environ.get(name) if trust_env else None for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    written = None
    if file:
        try:
            with Path(file).open("rb") as opened:
                written = os.fstat(opened.fileno()).st_mtime_ns
                if BEGIN not in opened.read():
                    raise OSError("it holds no certificate")
        except OSError as error:
            raise unreadable("SSL_CERT_FILE", file, error) from error
    elif folder:
        folders(folder)
    return _trusted(file, folder, trust_env, http2, written, os.environ.get("SSLKEYLOGFILE"))


# httpcore tells a context which protocols to offer, so that clients with HTTP/2 have one of their own.
@lru_cache(maxsize=8)
def _trusted(file: str | None, folder: str | None, *_what_else_counts: object) -> ssl.SSLContext:
    return DeferredContext.of(partial(_read, file, folder))


def _read(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Load certificates, which takes some 20 ms."""
    try:
        if file:
            return ssl.create_default_context(cafile=file)
        if folder:
            return ssl.create_default_context(capath=folder)
    except OSError as error:  # ssl's errors are among them
        raise unreadable("SSL_CERT_FILE" if file else "SSL_CERT_DIR", file or folder, error) from error
    return httpx.create_ssl_context(trust_env=False)


def folders(named: str) -> list[Path]:
    """Return the folders that SSL_CERT_DIR names, separated as those of PATH are.

    Raises:
        ValueError: None of them is there.
    """
    found = [Path(part) for part in named.split(os.pathsep) if part and Path(part).is_dir()]
    if not found:
        raise unreadable("SSL_CERT_DIR", named, NotADirectoryError("no such folder"))
    return found


def unreadable(name: str, path: str | None, error: OSError) -> ValueError:
    """Return the error for certificates that an argument or a variable names, and that are none."""
    return ValueError(f"{name}: expected where certificates can be read, got {path!r}: {error}")


def pem_of(name: str, file: Path) -> bytes:
    """Return the certificates of a file, in text.

    Args:
        name: The argument or the variable that names the file.

    Raises:
        ValueError: It is no file with certificates.
    """
    try:
        pem = file.read_bytes()
        if BEGIN not in pem:
            raise OSError("it holds no certificate")
    except OSError as error:
        raise unreadable(name, str(file), error) from error
    return pem
