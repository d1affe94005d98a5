"""FastChat 0.2.36: its command that has a model answer questions, and what its chat server streams.

It imports torch, transformers, accelerate and peft before anything else, and uses none of them for Claude:
they are there in name only.
"""

import dataclasses
import json

import pytest

from programs.program import Program, Ran

STREAM = """
import sys
from fastchat.serve.api_provider import anthropic_api_stream_iter

prompt = "\\n\\nHuman: Hello\\n\\nAssistant:"
*_, last = anthropic_api_stream_iter("claude-2.1", prompt, 0.7, 1.0, 64)
# The module has what is printed go to its log.
print(last, file=sys.__stdout__)
"""
JUDGE = ("python", "-m", "fastchat.llm_judge.gen_api_answer", "--model", "claude-2.1")


@pytest.fixture
def program(program: Program) -> Program:
    return dataclasses.replace(program, absent=["torch", "transformers", "accelerate", "peft"])


@pytest.fixture(autouse=True)
def _question(program: Program) -> None:
    folder = program.folder / "data/mt_bench"
    folder.mkdir(parents=True)
    question = {"question_id": 1, "category": "writing", "turns": ["Hello FastChat"]}
    (folder / "question.jsonl").write_text(json.dumps(question))
    (program.folder / "stream.py").write_text(STREAM)


def answers(program: Program) -> list[str]:
    """Return what the command wrote down, and remove it."""
    path = program.folder / "data/mt_bench/model_answer/claude-2.1.jsonl"
    (line,) = path.read_text().splitlines()
    path.unlink()
    turns: list[str] = json.loads(line)["choices"][0]["turns"]
    return turns


def told(ran: Ran) -> tuple[int, list[str]]:
    """Return the exit code, and what was printed, with the errors' classes by their names alone."""
    lines = [line for line in ran.out.splitlines() if not line.startswith("Output to")]
    return ran.code, [line.partition("AuthenticationError")[2] or line for line in lines]


def test_questions_are_answered_as_they_were(program: Program) -> None:
    now = program.run(*JUDGE)
    assert (told(now), answers(program)) == ((0, []), ["You said: Hello FastChat"])
    then = program.run_before(*JUDGE)
    assert (told(then), answers(program)) == (told(now), ["You said: Hello FastChat"])
    assert (now.asked, then.asked) == (["POST /v1/messages 200"], ["POST /v1/complete 200"])


def test_with_a_wrong_key_it_tries_16_times_and_goes_on_as_it_did(program: Program) -> None:
    now, written = program.run(*JUDGE, key="wrong"), answers(program)
    then = program.run_before(*JUDGE, key="wrong")
    assert written == answers(program) == ["$ERROR$"]
    assert told(now) == told(then)
    assert len(told(now)[1]) == 16
    assert now.statuses == then.statuses == ["401"] * 16


def test_the_chat_server_streams_as_it_did(program: Program) -> None:
    now, then = program.run("python", "stream.py"), program.run_before("python", "stream.py")
    assert (now.code, now.out) == (then.code, then.out)
    assert now.out == "{'text': ' You said: Hello', 'error_code': 0}\n"
    assert now.statuses == then.statuses == ["200"]
