"""The table of clients: every option, variable and copy, and `post`; each with an ordinary call."""

from typing import Any

from compat.play import NOT_GIVEN, OMIT, Case, Name

FEW = ("plain", "streamed")
NO_KEY: dict[str, Any] = {"api_key": ...}


def _client(name: str, *differs: str, http: Any = None, **options: Any) -> Case:
    return Case(name, client=options, http=http, forms=FEW, differs=differs)


def _env(name: str, *differs: str, client: Any = NO_KEY, **variables: str) -> Case:
    env = {f"ANTHROPIC_{variable}": value for variable, value in variables.items()}
    return Case(name, client=client, env=env, forms=FEW, differs=differs)


def _at(path: str, *differs: str) -> Case:
    return Case(f"base_url with {path!r}", path=path, forms=FEW, differs=differs)


def _copy(*differs: str, **changes: Any) -> Case:
    shown = ", ".join(f"{name}={value!r}" for name, value in changes.items())
    old = {"default_headers": {"X-A": "1", "X-B": "2"}, "default_query": {"a": "1", "b": "2"}}
    return Case(f"with_options({shown})", client=old, copy=changes, forms=FEW, differs=differs)


def _post(name: str, *differs: str, **changes: Any) -> Case:
    body = {"model": "m", "prompt": "é", "max_tokens_to_sample": 1}
    post = {"path": "/v1/complete", "cast_to": Name("types.Completion"), "body": body, **changes}
    client = {"default_headers": {"X-A": "1"}, "default_query": {"a": "1"}}
    return Case(f"post {name}", client=client, post=post, forms=("plain",), differs=differs)


_HEADERS = [
    _client("default_headers", default_headers={"X-Mine": "1", "anthropic-version": "v"}),
    _client("default_headers that are omit", default_headers={"User-Agent": OMIT, "anthropic-version": OMIT}),
    _client("default_headers in another case", "case of headers", default_headers={"Anthropic-Version": "v"}),
    _client(
        "a key in default_headers in another case", "case of headers", default_headers={"x-api-key": "o"}
    ),
    _client("default_query", default_query={"a": "b", "c": [1, {"d": None}]}),
    _env(
        "headers of the environment",
        client={},
        CUSTOM_HEADERS="X-One: 1\nx-two:2:3\n\nno colon\n  X-Three  :  3 3  \r\nanthropic-version: v\n",
    ),
    _env("empty headers of the environment", client={}, CUSTOM_HEADERS=""),
    _env(
        "headers of the environment under the client's",
        client={"default_headers": {"X-One": "d"}},
        CUSTOM_HEADERS="X-One: 1\nX-Two: 2",
    ),
    _env(
        "headers of the environment under the client's, in another case",
        "case of headers",
        client={"default_headers": {"x-one": "d"}},
        CUSTOM_HEADERS="X-One: 1\nX-Two: 2",
    ),
]

_CREDENTIALS = [
    _client("a token", api_key=None, auth_token="t"),
    _client("a key and a token", auth_token="t"),
    Case(
        "a token under a header",
        {"extra_headers": {"Authorization": "Bearer u"}},
        {"auth_token": "t"},
        forms=FEW,
    ),
    Case("a token, omitted", {"extra_headers": {"Authorization": OMIT}}, {"auth_token": "t"}, forms=FEW),
    _env("a key of the environment", API_KEY="ek"),
    _env("a key of the environment for None", client={"api_key": None}, API_KEY="ek"),
    _env("a token of the environment", AUTH_TOKEN="et"),
    _env("both of the environment", API_KEY="ek", AUTH_TOKEN="et"),
    _env("an empty key of the environment", API_KEY="", AUTH_TOKEN="et"),
    _env("a key before the environment's token", client={}, AUTH_TOKEN="et"),
    _env("a token before the environment's key", client={**NO_KEY, "auth_token": "t"}, API_KEY="ek"),
    _client("no credentials", api_key=...),
    Case("no credentials but in a header", {"extra_headers": {"X-Api-Key": "k"}}, NO_KEY, forms=FEW),
    Case("no credentials, wanted so", {"extra_headers": {"X-Api-Key": OMIT}}, NO_KEY, forms=FEW),
    Case("no credentials, also wanted so", {"extra_headers": {"Authorization": OMIT}}, NO_KEY, forms=FEW),
    _client(
        "no credentials but in default_headers", api_key=..., default_headers={"Authorization": "Bearer x"}
    ),
    _env("no credentials but in the environment's headers", CUSTOM_HEADERS="X-Api-Key: k"),
    Case(
        "no credentials but in a header in another case",
        {"extra_headers": {"x-api-key": "k"}},
        NO_KEY,
        forms=FEW,
        differs=("a key in another case",),
    ),
    _client(
        "a key omitted for all calls", "a key omitted for all calls", default_headers={"X-Api-Key": OMIT}
    ),
    *(_client(f"api_key={key!r}", "no key", api_key=key) for key in ("", " k", "k\n", "é")),
]

_LIMITS = [
    Case("a client with connections of its own", client={"http_client": ...}),
    *(
        _client(f"timeout={limit!r} of the client", timeout=limit)
        for limit in (
            30,
            2.5,
            None,
            NOT_GIVEN,
            600,
            Name("DEFAULT_TIMEOUT"),
            Name("Timeout", called={"timeout": 3}),
        )
    ),
    *(
        Case(f"timeout={limit!r} before the client's", {"timeout": limit}, {"timeout": 30}, forms=FEW)
        for limit in (5, None, NOT_GIVEN)
    ),
    _client("an httpx client", http={}),
    _client("an httpx client with time limits", http={"timeout": 7}),
    _client("an httpx client with time limits, and the client's", http={"timeout": 7}, timeout=9),
    _client(
        "an httpx client with a query, and the client's",
        http={"params": {"p": "1"}},
        default_query={"a": "b c", "d": [1]},
    ),
    _client(
        "an httpx client with a query, and the path's", http={"params": {"p": "1"}}, default_query={"p": "2"}
    ),
    _client("an httpx client without time limits", http={"timeout": None}),
    _client(
        "an httpx client with more",
        http={"headers": {"X-H": "1"}, "params": {"p": "1"}, "cookies": {"c": "1"}},
    ),
]

_PLACES = [
    *(
        _at(path)
        for path in ("/", "/gateway", "/gateway/", "/a/b/c", "/a//b", "/v1/gateway", "/xv1", "/a/../b")
    ),
    *(_at(path) for path in ("/a%20b", "/a%2Fb", "/é", "/a+b~!$&'()*,;=:@")),
    *(
        _at(path, "base_url")
        for path in ("//", "/v1", "/v1/", "/v1/complete", "/v1/complete/", "/gateway/v1")
    ),
    *(_at(path, "no base_url") for path in ("?x=1", "#f", "/a b")),
    Case("base_url of the environment", path=None, env={"ANTHROPIC_BASE_URL": "{url}"}, forms=FEW),
    Case(
        "base_url of the environment with a path",
        path=None,
        env={"ANTHROPIC_BASE_URL": "{url}/a/"},
        forms=FEW,
    ),
    _env("base_url before the environment's", client={}, BASE_URL="http://127.0.0.1:1/"),
    Case(
        "base_url where nobody listens",
        client={"base_url": "http://127.0.0.1:1/", "max_retries": 1},
        path=None,
        forms=FEW,
        differs=("what went wrong",),
    ),
]

_COPIES = [
    _copy(),
    _copy(default_headers={"X-B": "3", "X-C": "4"}),
    _copy(default_headers={"X-B": OMIT}),
    _copy("case of headers", default_headers={"x-b": "3"}),
    _copy(set_default_headers={"X-C": "4"}),
    _copy(set_default_headers={}),
    _copy(default_query={"b": "3", "c": "4"}),
    _copy(set_default_query={"c": "4"}),
    _copy(set_default_query={}),
    _copy(timeout=7),
    _copy(timeout=None),
    _copy(timeout=NOT_GIVEN, max_retries=NOT_GIVEN),
    _copy(max_retries=0),
    _copy(api_key="other"),
    _copy(auth_token="t"),
    _copy(api_key=None, auth_token=None, base_url=None),
    _copy(middleware=[]),
    _copy("an empty key", api_key=""),
    # Refused by both
    _copy(default_headers={"a": "b"}, set_default_headers={"c": "d"}),
    _copy(default_query={"a": "b"}, set_default_query={"c": "d"}),
    _copy(max_retries=None),
]

_POSTS = [
    _post("a body"),
    _post("to a path without a slash", path="v1/complete"),
    _post("to another path", path="/v1/a b/é"),
    _post("to a path with a query", path="/v1/complete?b=2"),
    _post("to a path with a query, and a query", path="/v1/complete?b=2&c=4", options={"params": {"b": "3"}}),
    _post("no body", body=None),
    _post("no body at all", body=...),
    _post("an empty body", body={}),
    _post("any body", body={"a": None, "b": ["\u2028\U0001f600"]}),
    _post("a list", "no body for post", body=[1]),
    _post("for a str", cast_to=str),
    _post("for an object", cast_to=object),
    _post("for a dict", cast_to=dict[str, object]),
    _post("for a bare dict", "a bare dict", cast_to=dict),
    _post("with no options", options={}),
    _post("with headers", options={"headers": {"X-B": "2", "anthropic-version": OMIT}}),
    _post("with a query", options={"params": {"z": [1], "a": "2"}}),
    _post("with a time limit", options={"timeout": 3}),
    _post("with a number of retries", options={"max_retries": 0}),
    _post("with more of the body", options={"extra_json": {"prompt": "x", "q": 1, "model": OMIT}}),
    _post("with nothing but more of the body", body=None, options={"extra_json": {"q": 1}}),
    _post("with an idempotency key", "options of post", options={"idempotency_key": "k"}),
    _post("for a stream", body={"model": "m", "stream": True}, stream=True),
    _post("with an unknown argument", colour="red"),
]

CLIENTS: list[Case] = [*_HEADERS, *_CREDENTIALS, *_LIMITS, *_PLACES, *_COPIES, *_POSTS]
