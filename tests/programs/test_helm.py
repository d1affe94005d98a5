"""HELM 0.5.16, by its command, with a scenario that needs no download.

torch, transformers and spacy are not installed: these runs import none of them.
"""

import json
import re

from programs.program import Program

MODEL = "model=anthropic/claude-2.1,model_deployment=anthropic/here"
COMMAND = ("helm-run", "--run-entries", f"simple_mcqa:{MODEL}", "--suite", "s", "--local-path", "here")
COMMAND += ("--max-eval-instances", "1", "--num-threads", "1", "--output-path", "out")
# As its own deployments of Claude 2, but for the tokenizer, which is one of those that it downloads.
DEPLOYMENT = """
model_deployments:
  - name: anthropic/here
    model_name: anthropic/claude-2.1
    tokenizer_name: simple/tokenizer1
    max_sequence_length: 8000
    client_spec: {class_name: helm.clients.anthropic_client.AnthropicClient}
"""


def prepare(program: Program, name: str, key: str) -> Program:
    """Return the program in a folder of its own, with HELM's configuration."""
    folder = program.folder / name
    (folder / "here").mkdir(parents=True)
    (folder / "here/model_deployments.yaml").write_text(DEPLOYMENT)
    (folder / "here/credentials.conf").write_text(f'anthropicApiKey: "{key}"')
    return Program(program.environment, program.today, program.then, folder)


def answer(program: Program) -> str:
    """Return the text that HELM wrote down."""
    (path,) = program.folder.rglob("scenario_state.json")
    text: str = json.loads(path.read_text())["request_states"][0]["result"]["completions"][0]["text"]
    return text


def test_a_scenario_is_answered_as_it_was(program: Program) -> None:
    today, before = prepare(program, "now", "right"), prepare(program, "then", "right")
    now, then = today.run(*COMMAND), before.run_before(*COMMAND)
    assert (now.code, then.code) == (0, 0), now.err[-2000:] + then.err[-2000:]
    assert answer(today) == answer(before) != ""
    assert (now.asked, then.asked) == (["POST /v1/messages 200"], ["POST /v1/complete 200"])


def test_a_wrong_key_is_tried_five_times_and_told_as_it_was(program: Program) -> None:
    now = prepare(program, "now", "wrong").run(*COMMAND)
    then = prepare(program, "then", "wrong").run_before(*COMMAND)
    told = [
        re.findall(r"after retrying 5 times. Error: (.*?) Request:", ran.out + ran.err) for ran in (now, then)
    ]
    assert (now.code, told[0]) == (then.code, told[1])
    assert told[0][0].startswith("Error code: 401")
    assert now.statuses == then.statuses == ["401"] * 5
