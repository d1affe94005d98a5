"""`create` of both clients, with every argument that the contract has."""

# Made of openapi.yaml by `make generate`. Do not edit.

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, overload

from .._options import NOT_GIVEN, NotGiven, Omit, omit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    import httpx

    from .._contract.completion import Completion
    from .._options import HeaderValues, QueryValues
    from .._stream.streams import AsyncStream, Stream
    from ..types.completion_create_params import AnthropicBetaParam, CreateOptions, MetadataParam, ModelParam
    from .responses import RawAPIResponse, ReplyBase

    Answer = Completion | Stream[Completion]
    AsyncAnswer = Completion | AsyncStream[Completion]

F = TypeVar("F", bound="ReplyBase[object]")


class Completer(Protocol):
    """What `Completions` asks of its client."""

    def _complete(self, arguments: Mapping[str, object], form: type[F]) -> F:
        """Make one call, and return the reply in the form of a class of replies."""
        ...


class AsyncCompleter(Protocol):
    """What `AsyncCompletions` asks of its client."""

    async def _complete(self, arguments: Mapping[str, object], form: type[F]) -> F:
        """Make one call, and return the reply in the form of a class of replies."""
        ...


class Create:
    """Holds `create`."""

    def __init__(self, client: Completer) -> None:
        self._client = client

    @overload
    def create(
        self, *, stream: Literal[False] | Omit | NotGiven | None = ..., **options: Unpack[CreateOptions]
    ) -> Completion: ...

    @overload
    def create(self, *, stream: Literal[True], **options: Unpack[CreateOptions]) -> Stream[Completion]: ...

    @overload
    def create(self, *, stream: bool, **options: Unpack[CreateOptions]) -> Answer: ...

    def create(
        self,
        *,
        max_tokens_to_sample: int,
        model: ModelParam,
        prompt: str,
        metadata: MetadataParam | Omit | NotGiven | None = omit,
        stop_sequences: Sequence[str] | Omit | NotGiven | None = omit,
        stream: bool | Omit | NotGiven | None = omit,
        temperature: float | Omit | NotGiven | None = omit,
        top_k: int | Omit | NotGiven | None = omit,
        top_p: float | Omit | NotGiven | None = omit,
        betas: Sequence[AnthropicBetaParam] | Omit | NotGiven | None = omit,
        extra_headers: HeaderValues | None = None,
        extra_query: QueryValues | None = None,
        extra_body: Mapping[str, object] | None = None,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
        deadline: float | NotGiven | None = NOT_GIVEN,
        check_prompt: bool = False,
    ) -> Answer:
        r"""Continue a prompt.

        Arguments that are not given, or are `omit`, are not sent; None is sent as null. Types and ranges
        are those of the contract and are checked before anything is sent.

        Args:
            max_tokens_to_sample: The most tokens to generate. The model may stop earlier. Values above what a
                model can do were capped, not refused, by the models of this API's time. 1 or more.
            model: A model by name. The known names are in KnownModel, as a help for typing; they are no list
                of what the endpoint serves, and any other name is allowed.
            prompt: The transcript to continue: optional system text, then turns that begin with `\n\nHuman:`
                and `\n\nAssistant:`, a Human turn first and an Assistant turn last. Text after the last
                `\n\nAssistant:` is taken as the beginning of the answer. The documented limit is under 99,999
                tokens; the true one of each model is unknown.
            metadata: Facts about the request that are not part of the prompt.
            stop_sequences: Strings that end the completion when the model generates one; the string itself is
                left out. `\n\nHuman:` always does, and models may have further built-in ones.
            stream: Whether the text arrives piecewise, as server-sent events.
            temperature: Randomness: near 0 for analysis and multiple choice, near 1 for creative writing.
                Even 0 is not fully deterministic. From 0 to 1.
            top_k: Sample from the K likeliest tokens only, to leave out the "long tail" of unlikely ones. For
                advanced use; the default is not documented. `-1` says that none is set: the documentation of
                2023 gave it as the default, "which disables it". What the service makes of it today is
                unknown. -1 or more.
            top_p: Nucleus sampling: sample from the likeliest tokens whose probabilities add up to this, 0 to
                1. For advanced use, and in place of `temperature` rather than with it; the default is not
                documented. `-1`, and below 0 nothing else, says that none is set: the documentation of 2023
                gave it as the default, "which disables it". What the service makes of it today is unknown.
                From -1 to 1.
            betas: Names of beta features, sent as the anthropic-beta header.
            extra_headers: Further headers; they override all others, and `omit` takes one away.
            extra_query: Further query parameters.
            extra_body: Further fields of the body, unchecked; they override the arguments, and `omit`
                takes one away.
            timeout: Seconds for each of connecting, sending, and waiting for bytes, or an
                `httpx.Timeout`, or None for no limit; the client's where it is not given.
            deadline: Seconds for the whole call with all its attempts and waits, or None for no limit;
                the client's where it is not given.
            check_prompt: Whether to raise, before anything is sent, where the service would refuse the
                prompt; see `prompts.validate`. What it would only sanitise passes and is sent as it is.

        Returns:
            The completion, or with `stream=True` the stream of its chunks.

        Raises:
            TypeError, ValueError: An argument is wrong, or there is no credential. Nothing was sent.
            InvalidPromptError: A ValueError: `check_prompt` found that the service would refuse the prompt.
            LossError, UntranslatablePromptError: ValueErrors of the backend `messages`: it has no
                counterpart for something in the request, with `on_loss="error"`, or for the prompt.
            APIStatusError: The service answered with an error; the class tells which.
            APIConnectionError: No reply came, or not the whole of it.
            APITimeoutError: Nothing came in time.
            APIResponseValidationError: The reply is not what the contract says.
            UntranslatableReplyError: An APIError of the backend `messages`: the reply is a refusal, the use
                of a tool, or anything else that completions do not have.

        Warns:
            DeprecationWarning, RetiredModelWarning: The model is deprecated or retired; see the client's
                `model_warnings`.
            LossWarning: Messages has no counterpart for all of the request, with `on_loss="warn"`.
            BackendSwitchWarning: The backend `auto` asks Messages from now on.
        """
        from .responses import RawAPIResponse

        reply: RawAPIResponse[Answer] = self._client._complete(
            {
                "max_tokens_to_sample": max_tokens_to_sample,
                "model": model,
                "prompt": prompt,
                "metadata": metadata,
                "stop_sequences": stop_sequences,
                "stream": stream,
                "temperature": temperature,
                "top_k": top_k,
                "top_p": top_p,
                "betas": betas,
                "extra_headers": extra_headers,
                "extra_query": extra_query,
                "extra_body": extra_body,
                "timeout": timeout,
                "deadline": deadline,
                "check_prompt": check_prompt,
            },
            RawAPIResponse,
        )
        return reply.parse()


class AsyncCreate:
    """Holds `create`."""

    def __init__(self, client: AsyncCompleter) -> None:
        self._client = client

    @overload
    async def create(
        self, *, stream: Literal[False] | Omit | NotGiven | None = ..., **options: Unpack[CreateOptions]
    ) -> Completion: ...

    @overload
    async def create(
        self, *, stream: Literal[True], **options: Unpack[CreateOptions]
    ) -> AsyncStream[Completion]: ...

    @overload
    async def create(self, *, stream: bool, **options: Unpack[CreateOptions]) -> AsyncAnswer: ...

    async def create(
        self,
        *,
        max_tokens_to_sample: int,
        model: ModelParam,
        prompt: str,
        metadata: MetadataParam | Omit | NotGiven | None = omit,
        stop_sequences: Sequence[str] | Omit | NotGiven | None = omit,
        stream: bool | Omit | NotGiven | None = omit,
        temperature: float | Omit | NotGiven | None = omit,
        top_k: int | Omit | NotGiven | None = omit,
        top_p: float | Omit | NotGiven | None = omit,
        betas: Sequence[AnthropicBetaParam] | Omit | NotGiven | None = omit,
        extra_headers: HeaderValues | None = None,
        extra_query: QueryValues | None = None,
        extra_body: Mapping[str, object] | None = None,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
        deadline: float | NotGiven | None = NOT_GIVEN,
        check_prompt: bool = False,
    ) -> AsyncAnswer:
        from .responses import RawAPIResponse

        reply: RawAPIResponse[AsyncAnswer] = await self._client._complete(
            {
                "max_tokens_to_sample": max_tokens_to_sample,
                "model": model,
                "prompt": prompt,
                "metadata": metadata,
                "stop_sequences": stop_sequences,
                "stream": stream,
                "temperature": temperature,
                "top_k": top_k,
                "top_p": top_p,
                "betas": betas,
                "extra_headers": extra_headers,
                "extra_query": extra_query,
                "extra_body": extra_body,
                "timeout": timeout,
                "deadline": deadline,
                "check_prompt": check_prompt,
            },
            RawAPIResponse,
        )
        return reply.parse()

    create.__doc__ = Create.create.__doc__
