"""`convert --format batches`: files that the service takes as Message Batches, and who is who in them."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from anthropic_completions.cli._convert.bodies import Bodies
from anthropic_completions.messages import to_messages_request
from anthropic_completions.testing import StandIn
from cli.full import at_most_bytes_in_a_file
from cli.shell import Cli

MODEL = "claude-haiku-4-5"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "in.jsonl"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return tmp_path / "made"


def write(source: Path, *lines: dict[str, Any]) -> None:
    source.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def convert(cli: Cli, source: Path, made: Path, *options: str) -> Any:
    return cli(
        *("convert", "-m", MODEL, "--file", str(source), "--format", "batches", "--output", str(made)),
        *options,
    )


def bodies(made: Path) -> list[Any]:
    return [json.loads(file.read_bytes()) for file in sorted(made.glob("batch-*.json"))]


def ids(made: Path) -> list[tuple[str, Any]]:
    lines = map(json.loads, (made / "ids.jsonl").read_text(encoding="utf-8").splitlines())
    return [(line["custom_id"], line["id"]) for line in lines]


def test_a_file_is_the_body_of_a_batch_that_the_service_takes(
    cli: Cli, stand_in: StandIn, source: Path, made: Path
) -> None:
    write(source, {"id": "toes", "prompt": "How many?"}, {"id": "sky", "prompt": "What colour?"})
    done = convert(cli, source, made)
    assert (done.code, done.err) == (0, "")
    (body,) = bodies(made)
    wanted = {"model": MODEL, "max_tokens_to_sample": 256, "prompt": "\n\nHuman: How many?\n\nAssistant:"}
    assert body["requests"][0] == {"custom_id": "toes", "params": to_messages_request(wanted)[0]}
    command = re.search(r"^curl(?:.*\\\n)+.*$", done.out, re.MULTILINE)
    assert command is not None
    reply = subprocess.run(
        ["bash", "-euc", command[0].replace("curl", "curl --silent", 1)],
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    url = f"{os.environ['ANTHROPIC_BASE_URL']}/v1/messages/batches/{json.loads(reply)['id']}/results"
    results = httpx.get(url, headers={"x-api-key": "k", "anthropic-version": "2023-06-01"})
    assert json.loads(reply)["type"] == "message_batch"
    found = [json.loads(line) for line in results.text.splitlines()]
    assert {line["custom_id"] for line in found} == {"toes", "sky"}


def test_an_id_that_the_service_does_not_take_gets_the_name_of_its_line(
    cli: Cli, source: Path, made: Path
) -> None:
    given = ["a b", 7, "7", "x" * 65, "é", "line-1", None]
    write(source, *({"id": one, "prompt": "A"} for one in given))
    assert convert(cli, source, made).code == 0
    names = [name for name, _ in ids(made)]
    assert names == ["line-1", "7", "line-3", "line-4", "line-5", "line-6", "line-7"]
    assert [one for _, one in ids(made)] == given
    assert [request["custom_id"] for request in bodies(made)[0]["requests"]] == names


def test_what_is_in_its_way_gets_another_name(made: Path) -> None:
    with Bodies(made) as files:
        for number, identifier in enumerate(["line-2", None, "line-2-2", None], 1):
            files.add(identifier, min(number, 2), {"model": "m"})
    assert [name for name, _ in ids(made)] == ["line-2", "line-2-2", "line-2-3", "line-2-4"]


@pytest.mark.parametrize(
    ("limits", "counts"), [({"most_requests": 2}, [2, 2, 1]), ({"most_bytes": 130}, [2, 2, 1])]
)
def test_the_files_keep_the_limits(made: Path, limits: dict[str, int], counts: list[int]) -> None:
    with Bodies(made, **limits) as files:
        for number in range(5):
            files.add(number, number, {"model": "m"})
    assert [len(body["requests"]) for body in bodies(made)] == counts
    assert all(len(file.read_bytes()) <= 130 for file in made.glob("batch-*.json"))


def test_requests_with_other_betas_are_in_another_file(cli: Cli, source: Path, made: Path) -> None:
    write(source, {"prompt": "A", "betas": ["b-1"]}, {"prompt": "B"}, {"prompt": "C"})
    done = convert(cli, source, made)
    assert [len(body["requests"]) for body in bodies(made)] == [1, 2]
    assert done.out.count("anthropic-beta: b-1") == 1
    assert all("betas" not in request["params"] for body in bodies(made) for request in body["requests"])


def test_losses_are_told_with_their_lines(cli: Cli, source: Path, made: Path) -> None:
    write(source, {"prompt": "A"}, {"prompt": "B", "stop_sequences": [" "]})
    done = convert(cli, source, made, "--strict")
    assert done.code == 1
    assert done.err.startswith(f"{source}:2: stop_sequences[0]: ")
    assert len(bodies(made)[0]["requests"]) == 2


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"id": 1, "prompt": "B"}, ":2: id: expected each one once, got 1 again"),
        ({"id": 1.5, "prompt": "B"}, ":2: id: expected text or an integer, got 1.5"),
        ({"id": 2, "prompt": "B", "stream": True}, ":2: stream: a batch does not stream"),
        ({"id": 2}, ":2: prompt: expected a value, got nothing"),
    ],
)
def test_what_is_wrong_leaves_nothing(
    cli: Cli, source: Path, made: Path, line: dict[str, Any], says: str
) -> None:
    write(source, {"id": 1, "prompt": "A"}, line)
    done = convert(cli, source, made)
    assert done.code == 2
    assert says in done.err
    assert [path.name for path in made.parent.iterdir()] == [source.name]


@pytest.mark.parametrize("room", [0, 10, 4096])
def test_a_full_disk_leaves_nothing(made: Path, room: int) -> None:
    def write_many() -> None:
        with Bodies(made) as files:
            for number in range(100):
                files.add(number, number, {"model": "m" * 100})

    with at_most_bytes_in_a_file(room), pytest.raises(OSError, match="too large"):
        write_many()
    assert [*made.parent.iterdir()] == []


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/complete"])
def test_a_batch_is_submitted_where_a_client_would_send_it(
    cli: Cli, source: Path, made: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"https://gateway.example/x{path}")
    write(source, {"prompt": "A"})
    assert "curl https://gateway.example/x/v1/messages/batches " in convert(cli, source, made).out


def test_a_base_url_that_no_client_takes_is_told_before_anything_is_written(
    cli: Cli, source: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "ftp://x")
    write(source, {"prompt": "A"})
    done = convert(cli, source, made)
    assert done.code == 2
    assert "ANTHROPIC_BASE_URL: expected a URL such as https://host:443/path, got 'ftp://x'" in done.err
    assert [*made.parent.iterdir()] == [source]


def test_a_request_beyond_the_limit_is_told(made: Path) -> None:
    files = Bodies(made, most_bytes=100)
    with pytest.raises(ValueError, match="expected a request of at most 100 bytes"), files:
        files.add(1, 1, {"model": "m" * 100})


def test_what_is_there_is_not_written_over(cli: Cli, source: Path, made: Path) -> None:
    write(source, {"prompt": "A"})
    made.mkdir()
    done = convert(cli, source, made)
    assert done.code == 2
    assert "--output: expected the name of a new directory" in done.err


@pytest.mark.parametrize(
    "options",
    [["--format", "batches", "Hi"], ["--output", "x", "Hi"], ["--format", "batches", "--output", "x", "Hi"]],
)
def test_options_that_need_each_other(cli: Cli, options: list[str]) -> None:
    done = cli("convert", "-m", MODEL, *options)
    assert done.code == 2
    assert "--format batches, --output and --file go together." in done.err
