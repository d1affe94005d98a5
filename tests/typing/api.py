"""What type checkers see; this file is checked, never run."""

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import ModuleType
from typing import Any, assert_type

import httpx

from anthropic_completions import (
    NOT_GIVEN,
    Anthropic,
    AnthropicError,
    APIConnectionError,
    APIError,
    APIResponse,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AsyncAnthropic,
    AsyncAPIResponse,
    AsyncClient,
    AsyncStream,
    Client,
    IncompleteStreamError,
    InternalServerError,
    RateLimitError,
    RequestOptions,
    ServiceUnavailableError,
    Stream,
    Timeout,
    not_given,
    omit,
    restore,
)
from anthropic_completions._client.responses import RawAPIResponse
from anthropic_completions._restore.restoration import Restoration
from anthropic_completions.messages import (
    Loss,
    LossError,
    LossWarning,
    Translation,
    UntranslatableMessageError,
    UntranslatableReplyError,
    translate,
)
from anthropic_completions.prompts import InvalidPromptError, Reason
from anthropic_completions.rate_limits import RateLimit, RateLimits
from anthropic_completions.resources import AsyncCompletions, Completions
from anthropic_completions.types import (
    AnthropicBetaParam,
    Completion,
    CompletionCreateParams,
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
    MetadataParam,
    Model,
    ModelParam,
)

PROMPT = "\n\nHuman: Hello, world!\n\nAssistant:"
PLAIN: CompletionCreateParamsNonStreaming = {
    "model": "claude-2.1",
    "max_tokens_to_sample": 1,
    "prompt": PROMPT,
}
STREAMED: CompletionCreateParamsStreaming = {
    "model": "claude-2.1",
    "max_tokens_to_sample": 1,
    "prompt": PROMPT,
    "stream": True,
    "metadata": {"user_id": "u"},
    "stop_sequences": ["x"],
    "temperature": 0.5,
    "top_k": 1,
    "top_p": 0.5,
    "betas": ["b"],
}
EITHER: CompletionCreateParams = PLAIN
METADATA: MetadataParam = {"user_id": None}
MODEL: Model = "claude-opus-4-8"
OTHER_MODEL: ModelParam = "a model of tomorrow"
BETA: AnthropicBetaParam = "a beta of tomorrow"
OPTIONS: RequestOptions = {"headers": {"x": omit}, "timeout": None, "max_retries": 0, "params": {"a": [1]}}


def create(client: Anthropic, flag: bool) -> None:
    create = client.completions.create
    assert_type(client.completions, Completions)
    assert_type(create(model="claude-2.1", max_tokens_to_sample=1, prompt=PROMPT), Completion)
    assert_type(create(model="claude-2.1", max_tokens_to_sample=1, prompt=PROMPT, stream=False), Completion)
    assert_type(create(model="m", max_tokens_to_sample=1, prompt=PROMPT, stream=omit), Completion)
    assert_type(create(model="m", max_tokens_to_sample=1, prompt=PROMPT, stream=NOT_GIVEN), Completion)
    assert_type(create(model="m", max_tokens_to_sample=1, prompt=PROMPT, stream=None), Completion)
    assert_type(create(model="m", max_tokens_to_sample=1, prompt=PROMPT, stream=True), Stream[Completion])
    either = create(model="m", max_tokens_to_sample=1, prompt=PROMPT, stream=flag)
    assert_type(either, Completion | Stream[Completion])
    assert_type(create(**PLAIN), Completion)
    assert_type(create(**STREAMED), Stream[Completion])
    every = create(
        model=OTHER_MODEL,
        max_tokens_to_sample=1,
        prompt=PROMPT,
        metadata=METADATA,
        stop_sequences=("x",),
        temperature=1,
        top_k=None,
        top_p=not_given,
        betas=[BETA],
        extra_headers={"x": "1", "y": omit},
        extra_query={"a": [1, True, None], "b": {"c": 0.5}},
        extra_body={"d": object()},
        timeout=Timeout(5, connect=None),
        deadline=60,
        check_prompt=True,
    )
    assert_type(every, Completion)


async def create_async(client: AsyncAnthropic, flag: bool) -> None:
    create = client.completions.create
    assert_type(client.completions, AsyncCompletions)
    assert_type(await create(model="claude-2.1", max_tokens_to_sample=1, prompt=PROMPT), Completion)
    assert_type(await create(model="m", max_tokens_to_sample=1, prompt=PROMPT, stream=False), Completion)
    assert_type(await create(model="m", max_tokens_to_sample=1, prompt=PROMPT, stream=omit), Completion)
    stream = await create(model="m", max_tokens_to_sample=1, prompt=PROMPT, stream=True)
    assert_type(stream, AsyncStream[Completion])
    either = await create(model="m", max_tokens_to_sample=1, prompt=PROMPT, stream=flag)
    assert_type(either, Completion | AsyncStream[Completion])
    assert_type(await create(**PLAIN), Completion)
    assert_type(await create(**STREAMED), AsyncStream[Completion])


def raw(client: Anthropic, flag: bool) -> None:
    create = client.completions.with_raw_response.create
    response = create(model="m", max_tokens_to_sample=1, prompt=PROMPT)
    assert_type(response, RawAPIResponse[Completion])
    assert_type(response.parse(), Completion)
    assert_type(response.parse(to=dict), dict[Any, Any])
    assert_type(response.parse(to=str), str)
    assert_type(response.headers, httpx.Headers)
    assert_type(response.request_id, str | None)
    assert_type(response.content, bytes)
    assert_type(create(**STREAMED), RawAPIResponse[Stream[Completion]])
    assert_type(create(**STREAMED).parse(), Stream[Completion])
    assert_type(
        create(model="m", max_tokens_to_sample=1, prompt=PROMPT, stream=flag),
        RawAPIResponse[Completion | Stream[Completion]],
    )
    assert_type(client.with_raw_response.completions.create(**PLAIN), RawAPIResponse[Completion])


async def raw_async(client: AsyncAnthropic) -> None:
    create = client.completions.with_raw_response.create
    assert_type(await create(**PLAIN), RawAPIResponse[Completion])
    assert_type(await create(**STREAMED), RawAPIResponse[AsyncStream[Completion]])
    assert_type((await create(**PLAIN)).parse(), Completion)
    assert_type(await client.with_raw_response.completions.create(**PLAIN), RawAPIResponse[Completion])


def unread(client: Anthropic) -> None:
    create = client.completions.with_streaming_response.create
    assert_type(create(**PLAIN), AbstractContextManager[APIResponse[Completion]])
    assert_type(create(**STREAMED), AbstractContextManager[APIResponse[Stream[Completion]]])
    with client.with_streaming_response.completions.create(**PLAIN) as response:
        assert_type(response, APIResponse[Completion])
        assert_type(response.parse(), Completion)
        assert_type(response.parse(to=bytes), bytes)
        assert_type(response.read(), bytes)
        assert_type(response.text(), str)
        for line in response.iter_lines():
            assert_type(line, str)
        for piece in response.iter_bytes():
            assert_type(piece, bytes)


async def unread_async(client: AsyncAnthropic) -> None:
    create = client.completions.with_streaming_response.create
    assert_type(create(**PLAIN), AbstractAsyncContextManager[AsyncAPIResponse[Completion]])
    assert_type(create(**STREAMED), AbstractAsyncContextManager[AsyncAPIResponse[AsyncStream[Completion]]])
    async with client.with_streaming_response.completions.create(**PLAIN) as response:
        assert_type(response, AsyncAPIResponse[Completion])
        assert_type(await response.parse(), Completion)
        assert_type(await response.parse(to=list), list[Any])
        assert_type(await response.read(), bytes)
        async for line in response.iter_lines():
            assert_type(line, str)


def streams(stream: Stream[Completion]) -> None:
    for chunk in stream:
        assert_type(chunk, Completion)
    for text in stream.text_stream:
        assert_type(text, str)
    assert_type(stream.get_final_completion(), Completion)
    assert_type(stream.completion_so_far, Completion)
    assert_type(stream.response, httpx.Response)
    assert_type(stream.request_id, str | None)


async def streams_async(stream: AsyncStream[Completion]) -> None:
    async for chunk in stream:
        assert_type(chunk, Completion)
    async for text in stream.text_stream:
        assert_type(text, str)
    assert_type(await stream.get_final_completion(), Completion)
    await stream.close()


def completions(completion: Completion) -> None:
    assert_type(completion.id, str)
    assert_type(completion.completion, str)
    assert_type(completion.stop_reason, str | None)
    assert_type(completion.stop, str | None)
    assert_type(completion.log_id, str | None)
    assert_type(completion.to_dict(), dict[str, Any])
    assert_type(completion.model_dump(), dict[str, Any])
    assert_type(completion.dict(), dict[str, Any])
    assert_type(completion.to_json(), str)
    assert_type(completion.json(), str)
    assert_type(completion.copy(), Completion)
    assert_type(completion.rate_limit, RateLimits)
    assert_type(completion.rate_limit.tokens, RateLimit | None)
    assert_type(completion.headers, httpx.Headers | None)
    for name, _ in completion:
        assert_type(name, str)


def clients(http: httpx.Client, http_async: httpx.AsyncClient) -> None:
    client = Anthropic(
        api_key="k",
        auth_token=None,
        base_url=httpx.URL("http://host"),
        timeout=Timeout(5),
        max_retries=0,
        max_retry_after=None,
        deadline=60.0,
        default_headers={"x": omit},
        default_query={"a": 1},
        http_client=http,
        middleware=[],
    )
    assert_type(client, Anthropic)
    assert_type(client.with_options(max_retries=3).copy(timeout=None), Anthropic)
    assert_type(client.with_middleware(), Anthropic)
    assert_type(client.base_url, httpx.URL)
    client.base_url = "http://other"
    assert_type(client.timeout, float | Timeout | None)
    assert_type(client.max_retries, int)
    assert_type(client.api_key, str | None)
    assert_type(client.is_closed(), bool)
    with client as entered:
        assert_type(entered, Anthropic)
    assert_type(Client(api_key="k"), Anthropic)
    assert_type(AsyncClient(http_client=http_async).with_options(max_retries=1), AsyncAnthropic)
    client.post("/v1/complete", cast_to=Completion, body={}, options=OPTIONS)


async def clients_async(client: AsyncAnthropic) -> None:
    async with client as entered:
        assert_type(entered, AsyncAnthropic)
    await client.post("/v1/complete", cast_to=dict, options={"max_retries": 1})
    await client.close()


def errors(client: Anthropic) -> None:
    try:
        client.completions.create(**PLAIN)
    except RateLimitError as error:
        assert_type(error.status_code, int)
        assert_type(error.type, str | None)
        assert_type(error.response, httpx.Response)
        assert_type(error.retry_after, float | None)
        assert_type(error.workspace_id, str | None)
    except IncompleteStreamError as error:
        assert_type(error.completion, str | None)
        assert_type(error.chunk_count, int | None)
    except APITimeoutError as error:
        assert_type(error.request, httpx.Request)
    except APIResponseValidationError as error:
        assert_type(error.status_code, int)
    except APIError as error:
        assert_type(error.message, str)
        assert_type(error.body, object | None)
        assert_type(error.request_id, str | None)
    except AnthropicError:
        pass


OLD_CLASSES: list[type[InternalServerError]] = [ServiceUnavailableError]
REQUEST = httpx.Request("POST", "http://host")
MADE: list[APIError] = [
    APIError("m", REQUEST, body=None),
    APIConnectionError(request=REQUEST),
    APIConnectionError(message="m", request=REQUEST),
    APITimeoutError(REQUEST),
    APITimeoutError(request=REQUEST),
    APIStatusError("m", response=httpx.Response(400, request=REQUEST), body={}),
    APIResponseValidationError(httpx.Response(200, request=REQUEST), None, message="m"),
]


def wrong(client: Anthropic) -> None:
    """Each of these is an error, or the comment would be one."""
    client.completions.create(model="m", prompt=PROMPT)  # type: ignore[call-overload]  # pyright: ignore
    client.completions.create(model="m", max_tokens_to_sample="1", prompt=PROMPT)  # type: ignore[call-overload]  # pyright: ignore
    client.completions.create(**PLAIN, colour="red")  # type: ignore[call-overload]  # pyright: ignore
    client.completions.create(**PLAIN, metadata={"name": "x"})  # type: ignore[call-overload]  # pyright: ignore
    Anthropic("k")  # type: ignore[call-arg]  # pyright: ignore


def backends() -> None:
    client = Anthropic(backend="messages", on_loss="error", model_warnings=False)
    assert_type(client.with_options(backend="auto", on_loss="drop", model_warnings=True), Anthropic)
    assert_type(AsyncAnthropic(backend="completions").copy(on_loss="warn"), AsyncAnthropic)
    mapped = Anthropic(model_map={"claude-2.1": "claude-haiku-5-5"}, prefill="instruct", thinking_room=0)
    assert_type(mapped.copy(model_map="recommended", prefill="error", learn=False), Anthropic)
    assert_type(
        mapped.with_options(model_map=None).completions.create(**PLAIN).message, dict[str, Any] | None
    )


def translated(done: Translation, error: UntranslatableMessageError) -> None:
    assert_type(translate({}, prefill="instruct", thinking_room=5), Translation)
    assert_type(done.losses, tuple[Loss, ...])
    assert_type(done.is_judged, bool)
    assert_type(error.category, str | None)
    assert_type(error.thinking_tokens, int | None)


def bridge_errors(
    error: LossError, warning: LossWarning, reply: UntranslatableReplyError, prompt: InvalidPromptError
) -> None:
    assert_type(error.losses, tuple[Loss, ...])
    assert_type(warning.losses, tuple[Loss, ...])
    assert_type(reply.response, httpx.Response)
    assert_type(reply.completion, str | None)
    assert_type(prompt.reason, Reason)
    assert_type(prompt.position, int)


def restored(package: ModuleType) -> None:
    assert_type(restore(package), Restoration)
    with restore(package, backend="auto", on_loss="drop", model_warnings=False) as restoration:
        assert_type(restoration, Restoration)
    assert_type(restoration.undo(), None)
