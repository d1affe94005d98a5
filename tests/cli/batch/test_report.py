"""`--report`: one page, without a network, that shows what a batch did."""

import asyncio
import errno
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from anthropic_completions.cli._batch.report import Picture, Reporter
from anthropic_completions.cli._batch.tally import Tally
from anthropic_completions.testing import StandIn, error
from cli.batch.files import ask_many
from cli.shell import Cli

pytest.importorskip("plotly")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def page(cli: Cli, stand_in: StandIn, source: Path, target: Path) -> Path:
    """The page of a batch of 40 requests, of which two failed."""
    ask_many(source, 40)
    stand_in.queue(error(422, message="<b>No.</b>"), error(400, message="Odd."))
    page = target.with_name("report.html")
    done = cli("batch", "--report", str(page), str(source), str(target))
    assert done.code == 1, done
    return page


def test_the_page_loads_nothing_from_elsewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.findall(
        r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)\s*=\s*[\"']?(?:https?:)?//", text
    )
    assert "40 requests: 38 completed, 2 failed" in text
    assert 'http-equiv="refresh"' not in text


def test_what_results_add_up_to(page: Path, target: Path) -> None:
    picture = Picture(target)
    assert picture.count == 40
    assert picture.stop_reasons == {"stop_sequence": 38}
    assert len(picture.lengths) == sum(picture.done) == 38
    assert sum(picture.failed) == picture.causes.total == 2
    assert sum(len(found) for found in picture.seconds) == 38


def test_results_without_times_are_counted(tmp_path: Path) -> None:
    target = tmp_path / "old.jsonl"
    target.write_text(
        '{"id":1,"completion":{"completion":"abc","stop_reason":"max_tokens"}}\n{"id":2,"err',
        encoding="utf-8",
    )
    assert (Picture(target).count, Picture(target).times()) == (1, [])


def test_the_page_of_a_run_under_way_loads_itself_again(target: Path) -> None:
    page, slept = target.with_name("live.html"), []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) > 1:
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(Reporter(target, page, Tally(3, before=0)).live(sleep))
    assert slept == [30, 30]
    assert '<meta http-equiv="refresh" content="30" />' in page.read_text(encoding="utf-8")


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")
def test_a_browser_shows_it_from_the_disk(page: Path, tmp_path: Path) -> None:
    assert BROWSER is not None
    command = [
        *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"),
        *(
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1200,1100",
            "--virtual-time-budget=20000",
        ),
    ]
    picture = tmp_path / "page.png"
    shown = subprocess.run(
        [*command, "--dump-dom", page.as_uri()], capture_output=True, encoding="utf-8", timeout=50, check=True
    ).stdout
    for title in ("Requests per minute", "Seconds of a call", "Failures by cause", "Why completions ended"):
        assert f">{title}</text>" in shown
    assert 'class="trace bars"' in shown
    subprocess.run(
        [*command, f"--screenshot={picture}", page.as_uri()], capture_output=True, timeout=50, check=True
    )
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000  # a blank page takes a fifth of that


@pytest.mark.parametrize("which", ["report", "results"])
@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_a_folder_that_is_missing_is_told_before_anything_is_sent(
    cli: Cli, stand_in: StandIn, source: Path, target: Path, which: str, dry: list[str]
) -> None:
    ask_many(source, 2)
    folder = target.parent / "no"
    wanted = folder / "x"
    page, out = (wanted, target) if which == "report" else (target, wanted)
    done = cli("batch", *dry, "--report", str(page), str(source), str(out))
    name = f"--report {wanted}" if which == "report" else str(wanted)
    told = f"Error: {name}: expected a folder that is there, got '{folder}': make it, or name another\n"
    assert done == (1, "", told)
    assert (stand_in.received, target.exists()) == ([], False)


def test_a_folder_that_takes_no_files_is_told_before_anything_is_sent(
    cli: Cli, stand_in: StandIn, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root, as whom tests may run, could write anywhere."""

    def refuse(*, dir: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(dir / "tmp"))

    ask_many(source, 2)
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    done = cli("batch", str(source), str(target))
    told = f"Error: {target}: no file can be written in '{target.parent}': Permission denied\n"
    assert (done, stand_in.received) == ((1, "", told), [])


def test_a_page_that_cannot_be_written_is_told_by_its_own_name(target: Path) -> None:
    page = target.parent / "page.html"
    page.mkdir()
    with pytest.raises(OSError, match=f"^--report {re.escape(str(page))}: "):
        Reporter(target, page, Tally(0, before=0)).write()
