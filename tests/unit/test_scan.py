"""Finding the old client in Python sources."""

import ast
import importlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import anthropic_completions
from anthropic_completions.scan import Finding, _findings, scan

CLIENT = "from anthropic import Anthropic\nclient = Anthropic()\n"


def found(source: str) -> list[str]:
    return [finding.what for finding in scan(source)]


@pytest.mark.parametrize(
    ("source", "what", "home"),
    [
        ("from anthropic import HUMAN_PROMPT", "from anthropic import HUMAN_PROMPT", "anthropic_completions"),
        ("from anthropic import AI_PROMPT as AI", "from anthropic import AI_PROMPT", "anthropic_completions"),
        (
            "from anthropic.types import Completion",
            "from anthropic.types import Completion",
            "anthropic_completions.types",
        ),
        (
            "from anthropic.types.completion import Completion",
            "from anthropic.types.completion import Completion",
            "anthropic_completions.types",
        ),
        (
            "from anthropic.types import completion_create_params",
            "from anthropic.types import completion_create_params",
            "anthropic_completions.types.completion_create_params",
        ),
        (
            "from anthropic.resources import Completions",
            "from anthropic.resources import Completions",
            "anthropic_completions.resources",
        ),
        (
            "import anthropic.resources.completions",
            "import anthropic.resources.completions",
            "anthropic_completions.resources.completions",
        ),
        (
            "import anthropic\nanthropic.HUMAN_PROMPT",
            "anthropic.HUMAN_PROMPT",
            "anthropic_completions",
        ),
        (
            "import anthropic as a\nx: a.types.Completion",
            "anthropic.types.Completion",
            "anthropic_completions.types",
        ),
        (
            "from anthropic import types\ntypes.CompletionCreateParams",
            "anthropic.types.CompletionCreateParams",
            "anthropic_completions.types",
        ),
        (
            "from anthropic import *\nHUMAN_PROMPT",
            "HUMAN_PROMPT, by from anthropic import *",
            "anthropic_completions",
        ),
    ],
)
def test_what_is_imported_is_found_and_its_new_home_is_told(source: str, what: str, home: str) -> None:
    (finding,) = scan(source)
    assert (finding.what, finding.advice) == (what, f"take it from {home} instead")


@pytest.mark.parametrize("module", sorted({*_findings.LEGACY, *_findings.MODULES}))
def test_every_name_that_is_found_is_where_the_advice_says(module: str) -> None:
    home = importlib.import_module(re.findall(r"from (\S+) instead", _findings.advice_on(module))[0])
    assert all(hasattr(home, name) for name in _findings.LEGACY.get(module, ()))


@pytest.mark.parametrize("name", sorted(_findings.ERRORS))
def test_every_error_that_is_found_is_one_of_this_package(name: str) -> None:
    assert issubclass(getattr(anthropic_completions, name), anthropic_completions.AnthropicError)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("from anthropic import count_tokens", "from anthropic import count_tokens"),
        ("from anthropic.tokenizer import get_tokenizer", "from anthropic.tokenizer import get_tokenizer"),
        ("import anthropic\nanthropic.count_tokens('A')", "anthropic.count_tokens"),
        ("import anthropic as a\na.get_tokenizer()", "anthropic.get_tokenizer"),
    ],
)
def test_the_packages_own_counting_of_tokens_is_found(source: str, what: str) -> None:
    (finding,) = scan(source)
    assert (finding.what, finding.advice) == (what, _findings.NO_TOKENIZER)


@pytest.mark.parametrize(
    "source",
    [
        "client.completions.create()",
        "client.completions.with_raw_response.create()",
        "client.completions.with_streaming_response.create()",
        "client.with_raw_response.completions.create()",
        "client.with_options(timeout=5).completions.create()",
        "copied = client.copy()\ncopied.completions.create()",
        "Anthropic().completions.create()",
        "create = client.completions",
        "with Anthropic() as c:\n    c.completions.create()",
        "def f(c: Anthropic): c.completions.create()",
        "def f(c: Anthropic | None): c.completions.create()",
        "from typing import Optional\ndef f(c: Optional[Anthropic]): c.completions.create()",
        "c: Anthropic\nc.completions.create()",
        "self.c = client\nself.c.completions.create()",
        "c = given or Anthropic()\nc.completions.create()",
        "c = given if given else Anthropic()\nc.completions.create()",
        "(c := Anthropic()).messages; c.completions.create()",
        "d = c.copy()\nc = Anthropic()\ncreate = d.completions",
        "get_client().completions.create()",
        "async def f(): return await client.completions.create()",
        "import anthropic\nb = anthropic.AsyncAnthropicBedrock()\nb.completions.create()",
        "class Mine(Anthropic): ...\nMine().completions.create()",
        "def get() -> Anthropic: ...\nx = get().completions",
        "def f(c: 'Anthropic'): return c.completions",
        "from functools import partial\nask = partial(client.completions.create, model='m')",
        "from functools import partial\nask = partial(c.completions.create, model='m')",
        "chat = Anthropic()\nchat.completions.create()",
    ],
)
def test_the_completions_of_a_client_are_found_once(source: str) -> None:
    (what,) = found(CLIENT + source)
    assert what.startswith(".completions")


@pytest.mark.parametrize(
    "source",
    [
        "client.messages.create()",
        "client.chat.completions.create(max_tokens_to_sample=5)",
        "import openai\nother = openai.OpenAI()\nother.completions.create(prompt='')",
        "other.completions",
        "chat = client.chat\nchat.completions.create(model='m')",
        "self.chat.completions.create(model='m')",
        "from together import Together\nc = Together()\nc.completions.create(model='m', prompt='')",
        "import instructor\nc = instructor.from_anthropic(client)\nc.completions.create(response_model=int)",
        "from groq import Groq\ndef f(c: Groq): c.completions.create(prompt='')",
        "c.completions.create(model='m', prompt='', max_tokens=5)",
        "other.HUMAN_PROMPT",
        "completions.create()",
        "from .anthropic import HUMAN_PROMPT",
        "from anthropic import Anthropic, AsyncAnthropic, APIError",
        "import anthropic.types",
        "anthropic.HUMAN_PROMPT",
        "def f():\n    'In prompts, \\n\\nHuman: begins a turn.'",
        "x = b'\\n\\nHuman:'",
    ],
)
def test_what_is_not_the_old_client_s_is_not_found(source: str) -> None:
    assert found(CLIENT + source) == []


def test_without_the_old_package_only_a_call_with_its_argument_is_found() -> None:
    assert found("c.completions.create(prompt='')") == []
    assert found("c.completions.create(max_tokens_to_sample=5)") == [".completions.create"]
    assert found("c.completions.with_raw_response.create(max_tokens_to_sample=5)") == [
        ".completions.with_raw_response.create"
    ]


@pytest.mark.parametrize(
    "call",
    [
        "functools.partial(c.completions.create, max_tokens_to_sample=5)",
        "executor.submit(c.completions.create, prompt='', max_tokens_to_sample=5)",
    ],
)
def test_a_call_that_is_passed_on_is_found(call: str) -> None:
    assert found(call) == [".completions.create"]


def test_with_the_package_of_another_provider_a_client_of_unknown_make_needs_the_argument() -> None:
    source = "import anthropic, openai\nc.completions.create({})"
    assert found(source.format("prompt=''")) == []
    assert found(source.format("max_tokens_to_sample=5")) == [".completions.create"]


def test_what_already_uses_this_package_is_not_found() -> None:
    source = (
        "from anthropic_completions import Anthropic, HUMAN_PROMPT\n"
        "Anthropic().completions.create(max_tokens_to_sample=5, prompt='\\n\\nHuman: A\\n\\nAssistant:')"
    )
    assert found(source) == []


@pytest.mark.parametrize(
    "source",
    [
        "from anthropic_completions import Anthropic\nc = Anthropic()\nc.completions.create()",
        "import anthropic_completions as a\nc = a.AsyncAnthropic()\nc.completions.create()",
        "from anthropic_completions import Anthropic\ndef f(c: Anthropic): c.completions.create()",
        "from anthropic_completions import Anthropic\nget_client().completions.create()",
        (
            "try:\n    from anthropic_completions import Anthropic\n"
            "except ImportError:\n    from anthropic import Anthropic\nAnthropic().completions.create()"
        ),
        (
            "import anthropic_completions\ndef old():\n    c = anthropic.Anthropic()\n    c.messages\n"
            "def new():\n    c = anthropic_completions.Anthropic()\n    c.completions.create()"
        ),
    ],
)
def test_a_client_of_this_package_is_not_found_beside_the_old_one(source: str) -> None:
    assert found(f"import anthropic\n{source}") == []


def test_a_client_of_the_old_package_is_found_beside_this_one() -> None:
    source = (
        "import anthropic, anthropic_completions\n"
        "def new():\n    c = anthropic_completions.Anthropic()\n    c.completions.create()\n"
        "def old():\n    c = anthropic.Anthropic()\n    c.completions.create()"
    )
    assert [(finding.line, finding.what) for finding in scan(source)] == [(7, ".completions.create")]


def test_what_restore_gives_back_is_not_found() -> None:
    source = (
        "import anthropic\nfrom anthropic_completions import restore\nrestore(anthropic)\n"
        "c = anthropic.Anthropic()\nc.completions.create(prompt=anthropic.HUMAN_PROMPT + c.AI_PROMPT)\n"
    )
    assert found(source) == []
    assert found(f"{source}c.count_tokens('A')") == [".count_tokens of a client"]
    assert found(source.replace("restore(anthropic)", "")) != []


class TestErrors:
    """Handlers that catch nothing any more, once completions are this package's."""

    @pytest.mark.parametrize(
        ("source", "what"),
        [
            ("try: {call}\nexcept anthropic.RateLimitError: ...", "except anthropic.RateLimitError"),
            ("try: {call}\nexcept (OSError, anthropic.APIError): ...", "except anthropic.APIError"),
            ("from anthropic import APIError as E\ntry: ask()\nexcept E: ...", "except anthropic.APIError"),
            (
                "from anthropic._exceptions import OverloadedError\ntry: {call}\nexcept OverloadedError: ...",
                "except anthropic._exceptions.OverloadedError",
            ),
            ("isinstance(e, anthropic.APIError)", "anthropic.APIError as an argument"),
            ("backoff.on_exception(x, (anthropic.APIError, OSError))", "anthropic.APIError as an argument"),
            ("retry(on=anthropic.APIError)", "anthropic.APIError as an argument"),
        ],
    )
    @pytest.mark.parametrize("package", ["anthropic", "anthropic_completions"])
    def test_are_found_where_the_source_completes(self, source: str, what: str, package: str) -> None:
        made = f"import anthropic, {package}\nc = {package}.Anthropic()\nc.completions\n"
        findings = scan(made + source.format(call="c.completions.create()"))
        (finding,) = (one for one in findings if not one.what.startswith(".completions"))
        assert finding.what == what
        name = what.removesuffix(" as an argument").rpartition(".")[2]
        assert f"catch anthropic_completions.{name} " in finding.advice

    def test_are_found_where_restore_serves_completions(self) -> None:
        source = (
            "import anthropic\nfrom anthropic_completions import restore\nrestore(anthropic)\n"
            "c = anthropic.Anthropic()\ntry: c.completions.create()\nexcept anthropic.APIError: ..."
        )
        assert found(source) == ["except anthropic.APIError"]

    @pytest.mark.parametrize(
        "source",
        [
            "try: client.messages.create()\nexcept anthropic.APIError: ...",
            "raise anthropic.APIError('x')",
            "def f(error: anthropic.APIError): ...",
            "try: client.completions\nexcept (anthropic.NotGiven, anthropic_completions.APIError): ...",
        ],
    )
    def test_of_other_calls_are_not_found(self, source: str) -> None:
        new = "import anthropic, anthropic_completions\nanthropic_completions.Anthropic().completions\n"
        assert (
            found(f"{new}client = anthropic.Anthropic()\n{source}".replace("client.completions", "ask()"))
            == []
        )

    def test_are_not_found_without_completions(self) -> None:
        assert found("import anthropic\ntry: ask()\nexcept anthropic.APIError: ...") == []


@pytest.mark.parametrize(
    "source",
    [
        "requests.post(url, json={'prompt': p, 'max_tokens_to_sample': 9})",
        "body['max_tokens_to_sample'] = 9",
        "body = dict(prompt=p, max_tokens_to_sample=9)",
    ],
)
def test_a_body_is_found_by_its_key(source: str) -> None:
    assert found(source) == ["max_tokens_to_sample as a key"]
    assert found(f"import anthropic_completions\n{source}") == []
    assert found(f"{CLIENT}client.completions.create(**b)\n{source}") == [".completions.create"]


@pytest.mark.parametrize(
    "source", ["ChatAnthropic(max_tokens_to_sample=9)", "x = 'max_tokens_to_sample'", "x = {'max_tokens': 9}"]
)
def test_what_only_looks_like_a_body_is_not_found(source: str) -> None:
    assert found(source) == []


@pytest.mark.parametrize(
    "source",
    [r"x = '\n\nHuman: A\n\nAssistant:'", r"x = f'\n\nHuman: {a}\n\nAssistant:'", r"f('\n\nAssistant:')"],
)
def test_a_prompt_written_out_is_found_once(source: str) -> None:
    assert found(source) == ["a turn marker in a string"]


def test_a_prompt_that_is_put_together_is_found_where_it_begins() -> None:
    (finding,) = scan(r"x = f'{a}\n\nHuman: {b}\n\nAssistant:'")
    assert (finding.line, finding.column) == (1, 5)


@pytest.mark.parametrize(
    "source",
    [
        "client.post('/v1/complete')",
        "url = f'{base}/v1/complete'",
        "url = '/v1/complete?beta=true'",
        "url = f'{base}/v1/complete?key={key}'",
        "os.system('curl https://api.anthropic.com/v1/complete -d @body')",
    ],
)
def test_the_path_written_out_is_found(source: str) -> None:
    assert found(source) == ["the path /v1/complete in a string"]


@pytest.mark.parametrize(
    "text",
    ["/v1/completed", "/v1/completions", "/v1/complete/x", "https://x/v1/complete-all", "/v1/complete is"],
)
def test_another_path_is_not_found(text: str) -> None:
    assert found(f"url = '{text}'") == []


@pytest.mark.parametrize(
    "name", ["HUMAN_PROMPT", "AI_PROMPT", "completion", "completion_stream", "count_tokens"]
)
def test_other_old_attributes_of_a_client_are_found(name: str) -> None:
    assert found(f"{CLIENT}client.{name}") == [f".{name} of a client"]


def test_a_finding_points_at_the_name_in_characters_from_1() -> None:
    source = CLIENT + "é = '🦕', (client\n    .completions\n    .create())\n'é', client.HUMAN_PROMPT"
    assert [(finding.line, finding.column) for finding in scan(source)] == [(4, 6), (6, 13)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_lines_count_whatever_ends_them(start: str, end: str) -> None:
    source = f"{start}from anthropic import AI_PROMPT{end}{end}x = '\\n\\nHuman:'"
    for form in (source, source.encode()):
        assert [(finding.line, finding.column) for finding in scan(form)] == [(1, 23), (3, 5)]


def test_bytes_are_read_in_the_encoding_that_they_declare() -> None:
    source = "# coding: latin-1\nx = 'é', '\\n\\nHuman:'".encode("latin-1")
    assert [(finding.line, finding.column) for finding in scan(source)] == [(2, 10)]


def test_findings_come_in_order_and_read_as_lines_of_a_linter() -> None:
    source = "import anthropic\nx = anthropic.AI_PROMPT\nfrom anthropic import HUMAN_PROMPT"
    findings = scan(source, "a.py")
    assert findings == sorted(findings)
    assert str(findings[0]) == "a.py:2:15: anthropic.AI_PROMPT: take it from anthropic_completions instead"
    assert findings[1] == Finding(
        file="a.py",
        line=3,
        column=23,
        what="from anthropic import HUMAN_PROMPT",
        advice="take it from anthropic_completions instead",
    )


@pytest.mark.parametrize(
    "source", ["def", "x = '\0'", b"# coding: utf-8\n\xff", "x = " + "-" * 100_000 + "1", "x = '\ud800'"]
)
def test_what_is_no_python_is_a_syntax_error(source: str | bytes) -> None:
    with pytest.raises(SyntaxError):
        scan(source)


def test_warnings_about_the_source_are_kept_quiet() -> None:
    assert scan(r"x = '\d' is 5") == []


def test_the_project_s_own_examples_are_no_legacy_use() -> None:
    root = Path(__file__).parents[2] / "examples"
    for path in root.glob("*.py"):
        assert scan(path.read_bytes(), str(path)) == []


@given(st.text(alphabet="aclient.ompHUMAN_PROMPT ='\n():=", max_size=60))
def test_any_source_that_parses_can_be_scanned(source: str) -> None:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for finding in scan(CLIENT + source):
        assert finding.line >= 1
        assert finding.column >= 1
