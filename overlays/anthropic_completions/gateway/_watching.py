"""Metrics and the access log, without prompts and keys."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass, field

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from .._stream.serving import compact_json

log = logging.getLogger("anthropic_completions.gateway")
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    """What `/metrics` tells; with PROMETHEUS_MULTIPROC_DIR set, of all workers together."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "anthropic_completions_gateway_requests",
            "Requests for completions that were answered, or left by their clients.",
            ["status", "streamed", "outcome"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "anthropic_completions_gateway_request_seconds",
            "Seconds from a request to the end of its answer.",
            ["streamed"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.losses = Counter(
            "anthropic_completions_gateway_losses",
            "What Messages could not say of requests, by rule.",
            ["rule"],
            registry=self._registry,
        )
        self.running = Gauge(
            "anthropic_completions_gateway_running",
            "Requests that are being answered.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )

    def text(self) -> bytes:
        """Return all of it in Prometheus's format."""
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            from prometheus_client.multiprocess import MultiProcessCollector

            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


@dataclass(slots=True)
class Told:
    """What is told of one request.

    Attributes:
        model: The model that was asked for.
        answered: The model that answered.
        streamed: Whether a stream was asked for.
        status: The HTTP status; 499 where the client left before there was one.
        outcome: `complete`, `error`, `refused` by the gateway, `broken` upstream, or `left` by the client.
        losses: The rules of what Messages could not say.
        request_id: What names the exchange at Anthropic.
    """

    model: str | None = None
    answered: str | None = None
    streamed: bool = False
    status: int = 499
    outcome: str = "left"
    losses: tuple[str, ...] = ()
    request_id: str | None = None
    started: float = field(default_factory=time.monotonic)

    def finish(self, metrics: Metrics) -> None:
        """Count and log the request."""
        seconds = time.monotonic() - self.started
        streamed = str(self.streamed).lower()
        metrics.requests.labels(str(self.status), streamed, self.outcome).inc()
        metrics.seconds.labels(streamed).observe(seconds)
        for rule in self.losses:
            metrics.losses.labels(rule).inc()
        log.info(
            "%s",
            compact_json(
                {
                    "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                    "path": "/v1/complete",
                    "status": self.status,
                    "outcome": self.outcome,
                    "seconds": round(seconds, 4),
                    "streamed": self.streamed,
                    "model": self.model,
                    "answered_by": self.answered,
                    "losses": list(self.losses),
                    "request_id": self.request_id,
                }
            ),
        )
