"""Templates of the Python modules that `carry` writes."""

PARAMS = '''"""The arguments of `create` as typed dicts."""

{note}

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Required, TypeAlias, TypedDict, Union

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from .._contract.generated import KnownBeta, KnownModel
    from .._options import HeaderValues, NotGiven, Omit, QueryValues

__all__ = [
    "AnthropicBetaParam",
    "CompletionCreateParams",
    "CompletionCreateParamsBase",
    "CompletionCreateParamsNonStreaming",
    "CompletionCreateParamsStreaming",
    "CompletionRequestNonStreaming",
    "CompletionRequestNonStreamingMetadata",
    "CompletionRequestStreaming",
    "CompletionRequestStreamingMetadata",
    "CreateOptions",
    "Metadata",
    "Model",
    "ModelParam",
{names}
]

# Any string besides the known names, which editors complete. Not `"KnownModel | str"`: people write
# `Model | None`, which must also work when it is run.
ModelParam: TypeAlias = Union["KnownModel", str]
AnthropicBetaParam: TypeAlias = Union["KnownBeta", str]
Model: TypeAlias = ModelParam


{objects}

class CompletionCreateParamsBase(TypedDict, total=False):
    """The arguments that both forms share; they mean what the arguments of `create` mean."""

{base}


class CompletionCreateParamsNonStreaming(CompletionCreateParamsBase, total=False):
    """The arguments of a call that returns a `Completion`."""

    stream: Literal[False]


class CompletionCreateParamsStreaming(CompletionCreateParamsBase):
    """The arguments of a call that returns a `Stream`."""

    stream: Required[Literal[True]]


CompletionCreateParams = CompletionCreateParamsNonStreaming | CompletionCreateParamsStreaming
Metadata = MetadataParam
CompletionRequestNonStreaming = CompletionCreateParamsNonStreaming
CompletionRequestNonStreamingMetadata = MetadataParam
CompletionRequestStreaming = CompletionCreateParamsStreaming
CompletionRequestStreamingMetadata = MetadataParam


class CreateOptions(TypedDict, total=False):
    """All keywords of `create` but `stream`, as its overloads take them."""

{options}
    extra_headers: HeaderValues | None
    extra_query: QueryValues | None
    extra_body: Mapping[str, object] | None
    timeout: float | httpx.Timeout | NotGiven | None
    deadline: float | NotGiven | None
    check_prompt: bool
'''

CREATE_HEAD = '''"""`create` of both clients, with every argument that the contract has."""

{note}

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
    from ..types.completion_create_params import {imported}
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
'''

CREATE_CLASS = '''
class {prefix}Create:
    """Holds `create`."""

    def __init__(self, client: {prefix}Completer) -> None:
        self._client = client

    @overload
    {a}def create(
        self, *, stream: Literal[False] | Omit | NotGiven | None = ..., **options: Unpack[CreateOptions]
    ) -> Completion: ...

    @overload
    {a}def create(
        self, *, stream: Literal[True], **options: Unpack[CreateOptions]
    ) -> {prefix}Stream[Completion]: ...

    @overload
    {a}def create(self, *, stream: bool, **options: Unpack[CreateOptions]) -> {prefix}Answer: ...

    {a}def create(
        self,
        *,
{arguments},
        betas: Sequence[AnthropicBetaParam] | Omit | NotGiven | None = omit,
        extra_headers: HeaderValues | None = None,
        extra_query: QueryValues | None = None,
        extra_body: Mapping[str, object] | None = None,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
        deadline: float | NotGiven | None = NOT_GIVEN,
        check_prompt: bool = False,
    ) -> {prefix}Answer:
{doc}        from .responses import RawAPIResponse

        reply: RawAPIResponse[{prefix}Answer] = {w}self._client._complete(
            {{
{passed}
                "betas": betas,
                "extra_headers": extra_headers,
                "extra_query": extra_query,
                "extra_body": extra_body,
                "timeout": timeout,
                "deadline": deadline,
                "check_prompt": check_prompt,
            }},
            RawAPIResponse,
        )
        return reply.parse()
'''

CREATE_DOC = '''        r"""Continue a prompt.

        Arguments that are not given, or are `omit`, are not sent; None is sent as null. Types and ranges
        are those of the contract and are checked before anything is sent.

        Args:
{told}
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
'''
FIELD = '''    @property  # type: ignore[override]
    def {name}(self) -> {kind}:  # pyright: ignore[reportIncompatibleVariableOverride]
        r"""{text}"""
        return self.additional_properties.get("{name}")

    @{name}.setter
    def {name}(self, value: {kind}) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.additional_properties["{name}"] = value
'''
FIELDS = '''"""The fields of a reply that may be absent, as attributes that are None then."""

{note}

from __future__ import annotations

from typing import TYPE_CHECKING

from .generated import CompletionModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class CompletionFields(CompletionModel):
    """The generated model, with a property for each field that a reply may lack."""

    __slots__ = ()

{members}
'''
ERRORS = '''"""The error of each HTTP status that has one of its own."""

{note}

from __future__ import annotations

from .base import APIStatusError, InternalServerError

__all__ = [
{names}
]
'''
ERROR_OF_STATUS = '''
_CLASSES: dict[int, type[APIStatusError]] = {{{table}}}


def status_error_class(status: int) -> type[APIStatusError]:
    """Return the class that stands for an HTTP status."""
    return _CLASSES.get(status) or (InternalServerError if status >= 500 else APIStatusError)
'''
