"""The ASGI application: routes, bounds, and what is answered to a request."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import anyio
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .._stream.serving import (
    Fault,
    credential_fault,
    error_body,
    form_fault,
    header_fault,
    prompt_fault,
    read_body,
)
from ._answering import Asking, Gateway, answer_plain, answer_streamed, send_answer
from ._replies import fault_answer
from ._watching import Metrics, Told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    import httpx
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from ..types.completion_create_params import CompletionCreateParams
    from ._settings import Settings


def application(settings: Settings, http_client: httpx.AsyncClient | None) -> Starlette:
    """Return the application for settings; the arguments are those of `create_app`."""
    gateway = Gateway(settings, http_client)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await gateway.close()

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        is_full = endpoint.running >= settings.max_concurrency
        return JSONResponse({"status": "full" if is_full else "ok"}, 503 if is_full else 200)

    async def metrics_page(_: Request) -> Response:
        return Response(metrics.text(), media_type=metrics.content_type)

    async def not_found(request: Request, _: Exception) -> Response:
        return _error(Fault.of("not_found_error", f"{request.method} {request.url.path}: not found"))

    async def not_allowed(request: Request, _: Exception) -> Response:
        fault = Fault(405, "invalid_request_error", f"{request.method}: method not allowed")
        return _error(fault, {"allow": "POST"})

    endpoint = Endpoint(gateway, metrics)
    return Starlette(
        routes=[
            Route("/v1/complete", endpoint, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics_page),
        ],
        exception_handlers={404: not_found, 405: not_allowed},
        lifespan=lifespan,
    )


class Endpoint:
    """`/v1/complete`, as an ASGI application of its own.

    Attributes:
        running: The number of requests that are being answered.
    """

    def __init__(self, gateway: Gateway, metrics: Metrics) -> None:
        self._gateway = gateway
        self._metrics = metrics
        self.running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = Told()
        self.running += 1
        self._metrics.running.inc()
        try:
            await self._answer(scope, receive, send, told)
        finally:
            self.running -= 1
            self._metrics.running.dec()
            told.finish(self._metrics)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, told: Told) -> None:
        settings = self._gateway.settings
        if self.running > settings.max_concurrency:
            text = f"The gateway answers {settings.max_concurrency} requests at a time"
            await send_answer(
                fault_answer(Fault.of("overloaded_error", text), {"retry-after": "1"}), send, told
            )
            return
        headers = headers_of(scope)
        asking = await self._asked(headers, receive, told)
        if asking is None:
            return  # the client left before its request was whole
        if isinstance(asking, Fault):
            await send_answer(fault_answer(asking), send, told)
        elif told.streamed:
            await answer_streamed(self._gateway, asking, receive, send, told)
        else:
            answer = await answer_plain(self._gateway, asking, receive, told)
            if answer is not None:
                await send_answer(answer, send, told)

    async def _asked(self, headers: Mapping[str, str], receive: Receive, told: Told) -> Asking | Fault | None:
        """Return the request, or what is wrong with it; None where the client left."""
        settings = self._gateway.settings
        fault = credential_fault(headers, settings.client_key)
        if settings.api_key is not None and settings.client_key is None:
            fault = None  # on this machine only; the command sees to it
        if fault := fault or header_fault(headers):
            return fault
        body: bytes | Fault | None = Fault(
            408, "invalid_request_error", "The request's body did not come in time"
        )
        with anyio.move_on_after(settings.body_timeout):
            body = await _body(receive, settings.max_body_bytes)
        if body is None or isinstance(body, Fault):
            return body
        try:
            fields = read_body(body)
        except ValueError as error:
            return Fault.invalid(f"The request body is not valid JSON: {error}")
        if fault := form_fault(fields):
            return fault
        asked = cast("CompletionCreateParams", fields)  # by its form
        if fault := prompt_fault(asked["prompt"]):
            return fault
        told.model, told.streamed = asked["model"], asked.get("stream") is True
        return Asking(asked, headers)


def headers_of(scope: Scope) -> dict[str, str]:
    """Return a request's headers with names in lower case; lines of the same name are joined."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def _body(receive: Receive, most: int) -> bytes | Fault | None:
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > most:
            return Fault.of("request_too_large", "Request exceeds the maximum size")
        more = message.get("more_body", False)
    return bytes(body)


def _error(fault: Fault, headers: Mapping[str, str] | None = None) -> Response:
    body = error_body(fault.type, fault.message, None)
    return Response(body, fault.status, {**(headers or {})}, media_type="application/json")
