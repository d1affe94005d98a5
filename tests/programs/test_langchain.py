"""langchain-anthropic 0.3.17, in a program of a few lines."""

import json

from programs.program import Program

PROGRAM = """
import json, os, warnings
warnings.simplefilter("ignore")
import anthropic
from langchain_anthropic import AnthropicLLM

PROMPT = "\\n\\nHuman: Hello\\n\\nAssistant:"
llm = AnthropicLLM(model="claude-2.1", max_tokens=20, base_url=os.environ["ANTHROPIC_BASE_URL"])
caught = llm.with_retry(retry_if_exception_type=(anthropic.APIStatusError,), stop_after_attempt=3)
try:
    told = [caught.invoke(PROMPT), "".join(llm.stream(PROMPT))]
except anthropic.APIError as error:
    told = [type(error).__name__, str(error)]
print(json.dumps(told))
"""


def test_it_answers_as_it_did(program: Program) -> None:
    (program.folder / "program.py").write_text(PROGRAM)
    now, then = program.run("python", "program.py"), program.run_before("python", "program.py")
    assert (now.code, now.out, now.err) == (then.code, then.out, then.err)
    assert json.loads(now.out) == [" You said: Hello", " You said: Hello"]
    assert (now.asked, then.asked) == (["POST /v1/messages 200"] * 2, ["POST /v1/complete 200"] * 2)


def test_a_wrong_key_is_caught_and_tried_again_as_it_was(program: Program) -> None:
    (program.folder / "program.py").write_text(PROGRAM)
    now = program.run("python", "program.py", key="wrong")
    then = program.run_before("python", "program.py", key="wrong")
    assert (now.code, now.out, now.err) == (then.code, then.out, then.err)
    assert json.loads(now.out)[0] == "AuthenticationError"
    assert now.statuses == then.statuses == ["401"] * 3
