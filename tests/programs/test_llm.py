"""llm 0.36 with llm-claude 0.4.2, by its command."""

import pytest

from programs.program import Program

STREAMED = pytest.mark.parametrize("options", [(), ("--no-stream",)], ids=["streamed", "plain"])


@STREAMED
def test_it_answers_as_it_did(program: Program, options: tuple[str, ...]) -> None:
    command = ("llm", "-m", "claude-2", *options, "Hello there")
    now, then = program.run(*command), program.run_before(*command)
    assert (
        (now.code, now.out, now.err) == (then.code, then.out, then.err) == (0, " You said: Hello there\n", "")
    )
    assert (now.asked, then.asked) == (["POST /v1/messages 200"], ["POST /v1/complete 200"])


@STREAMED
def test_a_wrong_key_is_told_as_it_was(program: Program, options: tuple[str, ...]) -> None:
    command = ("llm", "-m", "claude-2", *options, "Hello there")
    now, then = program.run(*command, key="wrong"), program.run_before(*command, key="wrong")
    assert (now.code, now.out, now.err) == (then.code, then.out, then.err)
    assert now.err.startswith("Error: Error code: 401")
    assert now.statuses == then.statuses == ["401"]
