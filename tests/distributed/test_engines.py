"""The examples of docs/scaling.md on local clusters of two workers, of which one is killed in the middle."""

import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "scaling.md"
COUNT = 400
HOLD_AT = COUNT // 4
PER_SECOND = 2400 / 60  # as the examples say
PATIENCE_SECONDS = 300
# What may be on its way when the service holds: two workers, with eight calls each.
ON_THE_WAY = 2 * 8


class Service:
    """The service, which holds its replies at a quarter of the requests until `go`."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "service.py"), str(HOLD_AT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        self.asked: list[int] = []
        self.times: list[float] = []
        self.held = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            number, at = line.split()
            self.asked.append(int(number))
            self.times.append(float(at))
            if len(self.asked) >= HOLD_AT:
                self.held.set()

    def go(self) -> None:
        """Have it answer what it holds."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def workers(self) -> list[psutil.Process]:
        """Return the processes that ask it."""
        port = int(self.url.rpartition(":")[2])
        return [
            process
            for process in psutil.Process().children(recursive=True)
            if any(other.raddr and other.raddr.port == port for other in _connections(process))
        ]

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)
        self._reader.join(30)
        assert self.process.stdout is not None
        self.process.stdout.close()


def _connections(process: psutil.Process) -> list[Any]:
    try:
        return list(process.net_connections("tcp"))
    except psutil.Error:  # it has ended
        return []


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The service, to which the environment points."""
    service = Service()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", service.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "stand-in")
    yield service
    service.end()


def rows_of_example(
    service: Service, engine: str, worker_of: Callable[[psutil.Process], psutil.Process] = lambda one: one
) -> list[dict[str, Any]]:
    """Run the page's code for an engine, kill one worker while it waits for replies, and return the rows.

    Args:
        service: The service.
        engine: The name of the section.
        worker_of: What to kill for a process that asks; otherwise that process.
    """
    section = PAGE.read_text(encoding="utf-8").partition(f"## {engine}\n")[2].partition("\n## ")[0]
    (code,) = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    killed: list[tuple[str, float]] = []

    def kill() -> None:
        if not service.held.wait(PATIENCE_SECONDS):
            return
        time.sleep(2)  # until both workers wait for replies, so that it loses some for sure
        workers = service.workers()
        if workers:
            worker = worker_of(workers[0])
            told = f"{worker.name()}, process {worker.pid}, one of {len(workers)} that asked"
            worker.kill()
            killed.append((told, time.monotonic()))
        service.go()

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    killer.join(PATIENCE_SECONDS)
    rows: list[dict[str, Any]] = names["rows"]
    assert killed, "no worker was killed"
    ((told, at),) = killed
    print(
        f"\n{engine}: killed {told}, after {HOLD_AT} of {COUNT} requests: "
        f"{len(service.asked) - COUNT} were asked again, {len(rows)} rows came"
    )
    check_rows(rows)
    check_requests(service, at)
    return rows


def check_rows(rows: list[dict[str, Any]]) -> None:
    """Every id came exactly once, with its own completion or its own failure."""
    assert Counter(row["id"] for row in rows) == Counter(range(COUNT))
    for row in rows:
        if row["id"] % 100 == 99:
            assert row["completion"] is None
            assert row["error_type"] == "invalid_request_error"
            assert "Never." in row["error"]
        else:
            assert row["completion"] == f" You said: {row['id']}"
            assert (row["error"], row["error_type"]) == (None, None)


def check_requests(service: Service, killed_at: float) -> None:
    """What was lost was asked again, and all workers together kept the rate."""
    assert {*service.asked} == {*range(COUNT)}
    again = len(service.asked) - COUNT
    assert again > 0, "the worker was killed while it did nothing"
    after = [at for at in service.times if at > killed_at]
    seconds = after[-1] - killed_at
    assert (len(after) - ON_THE_WAY) / seconds < PER_SECOND * 1.05, (len(after), seconds)


@pytest.mark.timeout(2 * PATIENCE_SECONDS)
def test_ray(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    import ray.data

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=200_000_000)
    try:
        ray.data.DataContext.get_current().enable_progress_bars = False
        rows_of_example(service, "Ray")
    finally:
        ray.shutdown()


@pytest.mark.timeout(2 * PATIENCE_SECONDS)
def test_spark(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyspark
    from pyspark.sql import SparkSession

    monkeypatch.setenv("SPARK_HOME", str(Path(pyspark.__file__).parent))
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    for name in ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"):
        monkeypatch.setenv(name, sys.executable)
    session = (
        SparkSession.builder.master("local-cluster[2,1,1024]")  # two workers, with a core and a GiB each
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")  # it tells at length of the worker that is killed

    def executor_of(process: psutil.Process) -> psutil.Process:
        return next(one for one in process.parents() if "CoarseGrainedExecutorBackend" in str(one.cmdline()))

    try:
        rows_of_example(service, "Spark", executor_of)
    finally:
        session.stop()


@pytest.mark.timeout(2 * PATIENCE_SECONDS)
def test_dask(service: Service) -> None:
    import distributed

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert len({*client.run(os.getpid).values()}) == 2
        rows_of_example(service, "Dask")
