"""The files that people have: formats, ids, prompts, what is carried through, and what is wrong with them."""

import json
from pathlib import Path
from typing import Any

import pytest

from anthropic_completions.models import CURRENT
from anthropic_completions.testing import StandIn
from cli.batch.files import ask, results
from cli.shell import Cli


def prompts(stand_in: StandIn) -> list[str]:
    return sorted(received.json()["prompt"] for received in stand_in.received)


SEMICOLONS = (
    "the only column is: id;prompt; its cells seem to have ';' between them: save it with commas, or "
    "with tabs and --format tsv"
)
TABS = "the only column is: 'id\\tprompt'; its cells seem to have tabs between them: --format tsv"
ROWS = [{"id": "a", "prompt": "one", "gold": "x"}, {"id": "b", "prompt": "two", "gold": ""}]


def write(path: Path) -> None:
    """Write the rows in the format that a file's name says."""
    if path.suffix == ".parquet":
        pyarrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)
    elif path.suffix in (".csv", ".tsv"):
        mark = "," if path.suffix == ".csv" else "\t"
        rows = [mark.join(ROWS[0]), *(mark.join(row.values()) for row in ROWS)]
        path.write_text("\ufeff" + "\r\n".join(rows) + "\r\n", encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(ROWS, indent=2))
    else:
        ask(path, *ROWS)


class TestFormats:
    """Each format gives the same requests."""

    @pytest.mark.parametrize("name", ["in.jsonl", "in.json", "in.csv", "in.tsv", "in.parquet", "in"])
    def test_a_format_is_known_by_name_and_first_character(
        self, cli: Cli, stand_in: StandIn, tmp_path: Path, target: Path, name: str
    ) -> None:
        write(tmp_path / name)
        done = cli("batch", str(tmp_path / name), str(target))
        assert done.code == 0, done.err
        assert prompts(stand_in) == ["\n\nHuman: one\n\nAssistant:", "\n\nHuman: two\n\nAssistant:"]
        assert {result["id"]: result["row"] for result in results(target)} == {
            "a": {"gold": "x"},
            "b": {"gold": ""},
        }
        assert 'Carried through to the results as "row", not sent: gold.' in done.out

    def test_a_format_can_be_named(self, cli: Cli, stand_in: StandIn, source: Path, target: Path) -> None:
        source.write_text("id;prompt\n")
        source.write_text("id,prompt\n1,one\n")
        assert cli("batch", "--format", "csv", str(source), str(target)).code == 0
        assert results(target)[0]["id"] == "1"

    def test_standard_input_is_copied_beside_the_output_first(
        self, cli: Cli, stand_in: StandIn, target: Path
    ) -> None:
        text = b'{"id": 1, "prompt": "one"}\n'
        assert cli("batch", "-", str(target), stdin=text).code == 0
        assert target.with_name("out.jsonl.stdin").read_bytes() == text
        assert cli("batch", "-", str(target), stdin=text).out.startswith("1 request: 0 completed")

    def test_cells_are_the_arguments_that_they_stand_for(
        self, cli: Cli, stand_in: StandIn, tmp_path: Path, target: Path
    ) -> None:
        source = tmp_path / "in.csv"
        source.write_text(
            "id,prompt,temperature,max_tokens_to_sample,stop_sequences,model\n"
            '1,"a, ""b""\nc",0.5,7,"[""X""]",claude-2\n'
            "2,d,,,,\n"
        )
        assert cli("batch", "-c", "1", str(source), str(target)).code == 0
        first, second = (received.json() for received in stand_in.received)
        assert first == {
            "model": "claude-2",
            "max_tokens_to_sample": 7,
            "prompt": '\n\nHuman: a, "b"\nc\n\nAssistant:',
            "temperature": 0.5,
            "stop_sequences": ["X"],
        }
        assert second == {
            "model": CURRENT,
            "max_tokens_to_sample": 256,
            "prompt": "\n\nHuman: d\n\nAssistant:",
        }

    def test_parquet_values_that_json_lacks_go_through_as_text(
        self, cli: Cli, stand_in: StandIn, tmp_path: Path, target: Path
    ) -> None:
        pyarrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        from datetime import date

        row: dict[str, Any] = {"id": 1, "prompt": "x", "day": date(2026, 1, 2), "tags": ["a"], "none": None}
        parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "in.parquet")
        assert cli("batch", str(tmp_path / "in.parquet"), str(target)).code == 0
        assert results(target)[0]["row"] == {"day": "2026-01-02", "tags": ["a"]}


class TestFields:
    """Which field is what."""

    def test_the_id_and_the_prompt_can_have_other_names(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask(source, {"qid": 7, "question": "one", "gold": "x", "prompt_version": 2})
        done = cli("batch", "--id-field", "qid", "--prompt-field", "question", str(source), str(target))
        assert done.code == 0, done.err
        (result,) = results(target)
        assert result["id"] == 7
        assert result["row"] == {"gold": "x", "prompt_version": 2}
        assert prompts(stand_in) == ["\n\nHuman: one\n\nAssistant:"]

    def test_a_template_makes_the_prompt_of_a_row(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask(source, {"id": 1, "question": "{why}?", "n": 2})
        assert cli("batch", "--template", "Q{n}: {question} {{}}", str(source), str(target)).code == 0
        assert prompts(stand_in) == ["\n\nHuman: Q2: {why}? {}\n\nAssistant:"]
        assert results(target)[0]["row"] == {"question": "{why}?", "n": 2}

    @pytest.mark.parametrize(
        ("template", "says"),
        [
            ("no field", "expected the name of a field"),
            ("{}", "expected the name of a field"),
            ("{a.b}", "{a.b}"),
            ("{a[0]}", "{a[0]}"),
            ("{a!r}", "expected the name of a field"),
            ("{a:>9}", "expected the name of a field"),
            ("{a", "braces that name no field are doubled"),
            ("{b}", "in.jsonl:1: template: expected a field 'b', got none"),
        ],
    )
    def test_a_wrong_template_is_told(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path, template: str, says: str
    ) -> None:
        ask(source, {"id": 1, "a": "x"})
        done = cli("batch", "--template", template, str(source), str(target))
        assert done.code == 2
        assert says in done.err

    def test_rows_can_have_their_numbers_as_ids(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        source.write_text('{"prompt": "one"}\n\n{"prompt": "two"}\n')
        assert cli("batch", "--number-ids", str(source), str(target)).code == 0
        assert sorted(result["id"] for result in results(target)) == [1, 3]


class TestWrongRows:
    """All wrong rows are told, at most twenty in words."""

    def test_all_are_told(self, cli: Cli, stand_in: StandIn, source: Path, target: Path) -> None:
        source.write_text('{"id": 1}\n{"id": 2, "prompt": "x"}\n{\n{"id": 2, "prompt": "x"}\n')
        done = cli("batch", str(source), str(target))
        assert done.code == 2
        assert [line.partition(" ")[0] for line in done.err.splitlines()] == ["Error:"] * 3 + ["3"]
        assert "3 rows are wrong. Nothing was sent." in done.err
        for said in (
            "in.jsonl:1: prompt: ",
            "in.jsonl:3: this is no JSON",
            "in.jsonl:4: the id 2 is that of line 2",
        ):
            assert said in done.err

    def test_the_first_twenty_are_told(self, cli: Cli, stand_in: StandIn, source: Path, target: Path) -> None:
        ask(source, *({"id": number} for number in range(30)))
        done = cli("batch", str(source), str(target))
        assert done.err.count("Error: ") == 20
        assert "30 rows are wrong; the first 20 are told." in done.err

    @pytest.mark.parametrize(
        ("row", "says"),
        [
            (
                {"custom_id": "a", "method": "POST", "url": "/v1/completions", "body": {}},
                "OpenAI's Batch API",
            ),
            ({"custom_id": "a", "params": {}}, "Message Batches file"),
            ({"custom_id": "a", "result": {}}, "results of Message Batches"),
            ({"custom_id": "a", "response": {}}, "output of OpenAI's Batch API"),
            ({"messages": []}, "a chat request"),
        ],
    )
    def test_files_of_other_interfaces_are_known(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path, row: dict[str, Any], says: str
    ) -> None:
        ask(source, row, row)
        done = cli("batch", str(source), str(target))
        assert done.code == 2
        assert done.err.count("\n") == 1
        assert "in.jsonl:1: this is " in done.err
        assert says in done.err

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("id,prompt\n1,a,b\n", "in.csv:2: expected 2 cells, got 3"),
            ("id,id\n", "in.csv:1: expected a name for each column, got 'id' twice"),
            ("id,\n", "in.csv:1: expected a name for each column, got a blank one"),
            ('id,prompt\n1,"a\n', "in.csv:2: this is no CSV"),
            ("id,prompt,temperature\n1,a,hot\n", "in.csv:2: temperature: "),
        ],
    )
    def test_what_is_wrong_with_cells_is_told(
        self, cli: Cli, stand_in: StandIn, tmp_path: Path, target: Path, text: str, says: str
    ) -> None:
        source = tmp_path / "in.csv"
        source.write_text(text)
        done = cli("batch", str(source), str(target))
        assert done.code == 2
        assert says in done.err

    @pytest.mark.parametrize(
        ("options", "text", "says"),
        [
            (
                ["--id-field", "qid", "--prompt-field", "qestion"],
                "qid,question,gold\n1,a,b\n2,a,b\n",
                "no column 'qestion' (--prompt-field); the columns are: qid, question, gold",
            ),
            (
                ["--prompt-field", "question"],
                "qid,question\n1,a\n2,a\n",
                "no column 'id' (--id-field); the columns are: qid, question",
            ),
            (
                ["--number-ids", "--template", "{a} {question} {b}"],
                "qid,question\n1,a\n2,a\n",
                "no column 'a' (--template) and no column 'b' (--template); the columns are: qid, question",
            ),
            (
                [],
                "id;prompt\n1;a\n2;a\n",
                f"no column 'id' (--id-field) and no column 'prompt' (--prompt-field); {SEMICOLONS}",
            ),
            (
                ["--number-ids"],
                "id\tprompt\n1\ta\n",
                f"no column 'prompt' (--prompt-field); {TABS}",
            ),
        ],
    )
    def test_a_column_that_is_missing_is_told_once_with_those_there_are(
        self,
        cli: Cli,
        stand_in: StandIn,
        tmp_path: Path,
        target: Path,
        options: list[str],
        text: str,
        says: str,
    ) -> None:
        source = tmp_path / "in.csv"
        source.write_text(text)
        done = cli("batch", *options, str(source), str(target))
        assert done == (2, "", f"Error: {source}: {says} (see anthropic-completions batch --help)\n")

    def test_so_is_one_of_a_parquet_file(
        self, cli: Cli, stand_in: StandIn, tmp_path: Path, target: Path
    ) -> None:
        write(tmp_path / "in.parquet")
        done = cli("batch", "--prompt-field", "question", str(tmp_path / "in.parquet"), str(target))
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "no column 'question' (--prompt-field); the columns are: id, prompt, gold" in done.err

    @pytest.mark.parametrize(
        ("text", "says"), [("[{]", "this is no JSON"), ("[1]", "in.json:1: expected an object")]
    )
    def test_what_is_wrong_with_an_array_is_told(
        self, cli: Cli, stand_in: StandIn, tmp_path: Path, target: Path, text: str, says: str
    ) -> None:
        source = tmp_path / "in.json"
        source.write_text(text)
        assert says in cli("batch", str(source), str(target)).err

    def test_a_file_that_is_no_parquet_is_told(
        self, cli: Cli, stand_in: StandIn, tmp_path: Path, target: Path
    ) -> None:
        pytest.importorskip("pyarrow")
        source = tmp_path / "in.parquet"
        source.write_text("text")
        assert "no Parquet file" in cli("batch", str(source), str(target)).err


class TestDryRun:
    """What would be sent is told, and nothing is."""

    def test_requests_and_characters_are_counted(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask(source, {"id": 1, "prompt": "one"})
        cli("batch", str(source), str(target))
        ask(
            source,
            {"id": 1, "prompt": "one"},
            {"id": 2, "prompt": "\n\nHuman: " + "x" * 30 + "\n\nAssistant:"},
        )
        before = target.read_bytes()
        done = cli("batch", "--dry-run", str(source), str(target))
        assert done.code == 0
        tokens = "roughly 15 tokens (estimated, at 3.5 characters each); at most 256 tokens of answers."
        assert done.out.splitlines() == [
            "2 requests: 1 to send, 1 done before. Nothing was sent.",
            f"51 characters of prompts: {tokens}",
        ]
        assert len(stand_in.received) == 1
        assert target.read_bytes() == before

    def test_results_of_other_requests_are_told(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask(source, {"id": 1, "prompt": "one"})
        cli("batch", str(source), str(target))
        assert "other requests" in cli("batch", "--dry-run", "-n", "9", str(source), str(target)).err

    def test_wrong_rows_are_told(self, cli: Cli, stand_in: StandIn, source: Path, target: Path) -> None:
        ask(source, {"id": 1})
        assert cli("batch", "--dry-run", str(source), str(target)).code == 2
        assert not target.exists()
