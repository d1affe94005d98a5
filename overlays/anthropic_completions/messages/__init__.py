r"""The bridge to the Messages API: completion requests and replies, translated field by field. Pure.

`Anthropic(backend="messages")` serves `completions.create` through it; what follows can also be used alone.

Requests, by `translate` (or `to_messages_request`, with its defaults):

| completions | messages |
|---|---|
| `prompt`, before the first turn | `system`; absent where it is empty |
| `prompt`, `\n\nHuman: X` | `{"role": "user", "content": "X"}`: without the marker and one space |
| `prompt`, `\n\nAssistant: Y` | `{"role": "assistant", "content": "Y"}` |
| `prompt`, `\n\nAssistant:` at its end | nothing: the list ends on the user |
| `prompt`, `\n\nAssistant: Y` at its end | a last message of the assistant, which the model continues |
| the same, for a model that refuses it | nothing, or a request for it in words, as `prefill` says |
| `max_tokens_to_sample` | `max_tokens`; too high a value is refused there, where it was capped here |
| – | `thinking`, which switches it off, for models that think unless told otherwise |
| – | `output_config` with a low effort, and more `max_tokens`, for models that always think |
| `model` | `model`; `claude-2` and its like are resolved, as Messages takes full versions only |
| `stop_sequences` | `stop_sequences`, and always `\n\nHuman:`, which was built in here |
| `temperature`, `top_k`, `top_p` | the same, as far as the model takes them |
| `metadata`, `stream`, `betas` and whatever else | the same |
| `top_k`, `top_p` of -1 | nothing: it was a way not to say them |
| `messages`, `max_tokens`; `system` where the prompt has such text | refused: one of the two would be lost |

Replies, by `to_completion` and, piece by piece, `StreamTranslator`:

| messages | completions |
|---|---|
| `id`, `model` | the same; the id keeps its prefix `msg_` |
| text of all text blocks | `completion`, with a leading space where the old endpoint gave one |
| a beginning that was asked for in words | nothing: it is taken off the text |
| `stop_reason` `end_turn` | `stop_sequence`, and `stop` is `\n\nHuman:` |
| `stop_reason` `stop_sequence` | `stop_sequence`, and `stop` is the message's `stop_sequence` |
| `stop_reason` `max_tokens`, `model_context_window_exceeded` | `max_tokens`, and `stop` is null |
| any other stop reason, blocks that are neither text nor thinking, no text | `UntranslatableMessageError` |
| `usage` and the rest | nothing; a client's completion keeps the message in `message` |

What cannot be carried over is told, never dropped in silence: `LOSSES` lists the rules.

Inference, as no documentation says so: the leading space, the mapping of `model_context_window_exceeded`, and
that a model's further built-in stop sequences, if it had any, are none but `\n\nHuman:`.
"""

from __future__ import annotations

from ._losses import Loss, LossError, LossWarning
from ._replies import (
    BackendSwitchWarning,
    UntranslatableMessageError,
    UntranslatableReplyError,
    to_completion,
    to_message_stop,
)
from ._requests import (
    Translation,
    UntranslatablePromptError,
    needs_leading_space,
    to_messages_request,
    translate,
)
from ._rules import LOSSES, LossRule
from ._streams import StreamTranslator

__all__ = [
    "LOSSES",
    "BackendSwitchWarning",
    "Loss",
    "LossError",
    "LossRule",
    "LossWarning",
    "StreamTranslator",
    "Translation",
    "UntranslatableMessageError",
    "UntranslatablePromptError",
    "UntranslatableReplyError",
    "needs_leading_space",
    "to_completion",
    "to_message_stop",
    "to_messages_request",
    "translate",
]
