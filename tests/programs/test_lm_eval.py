"""lm-eval 0.4.13, by its command, with a task of this machine.

Its class for completions wants a tokenizer that `anthropic` has not had since 0.39, and never uses it: the
release before is what it is compared with. Its command hands every model a device, which that class passes on
to the service: `device: null` in a configuration keeps it from that, with every release of `anthropic`.
"""

import json
import re

import pytest

from programs.program import Program, Ran

COMMAND = ("lm_eval", "run", "--config", "run.yaml")
RUN = """
model: anthropic-completions
model_args: {model: claude-2.1}
tasks: [toes]
include_path: .
device: null
"""
TASK = """
task: toes
dataset_path: json
dataset_kwargs: {data_files: {test: toes.jsonl}}
output_type: generate_until
test_split: test
doc_to_text: "{{question}}"
doc_to_target: "{{answer}}"
generation_kwargs: {until: ["\\n\\n"], max_gen_toks: 32, temperature: 0.0}
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true}
"""


@pytest.fixture(autouse=True)
def _task(program: Program) -> None:
    (program.folder / "run.yaml").write_text(RUN)
    (program.folder / "toes.yaml").write_text(TASK)
    question = {"question": "How many toes?", "answer": " You said: How many toes?"}
    (program.folder / "toes.jsonl").write_text(json.dumps(question))


def score(ran: Ran) -> list[str]:
    """Return the numbers of the table that is printed."""
    return re.findall(r"exact_match\|.*?\| +([\d.]+)\|", ran.out)


def test_a_task_is_scored_as_it_was(program: Program) -> None:
    now, then = program.run(*COMMAND), program.run_before(*COMMAND, release="before-0.39")
    assert (now.code, score(now)) == (then.code, score(then)) == (0, ["1"])
    assert (now.asked, then.asked) == (["POST /v1/messages 200"], ["POST /v1/complete 200"])


def test_a_wrong_key_is_caught_and_told_as_it_was(program: Program) -> None:
    now = program.run(*COMMAND, key="wrong")
    then = program.run_before(*COMMAND, key="wrong", release="before-0.39")
    found = [re.findall(r"API error 401: .*", ran.err) for ran in (now, then)]
    assert (now.code, found[0]) == (then.code, found[1])
    assert len(found[0]) == 1
    assert now.statuses == then.statuses == ["401"]


def test_a_release_without_completions_alone_does_not_do(program: Program) -> None:
    ran = program.run_before(*COMMAND)
    assert (ran.code, ran.asked) == (1, [])
    assert "'Anthropic' object has no attribute 'get_tokenizer'" in ran.err
