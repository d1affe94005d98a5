"""Learn from refusals how Messages serves a model, so that the next request is accepted.

The service's words may change, so that the contract decides beforehand; this is for models that it does not
have, and for what changes after it was written.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from ..models import Effort, MessagesSupport, messages_support
from ._switching import message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .._contract.schema import JSONObject
    from .._errors import APIStatusError
    from .._options import Options

    # What was asked for as a completion, what was sent, the words of the refusal, and what was known.
    Fields = Mapping[str, object]
    Lesson = Callable[[Fields, Fields, str, MessagesSupport], MessagesSupport | None]

_DEPRECATED = re.compile(r"`?(temperature|top_p|top_k)`? is deprecated for this model")
_NOT_SUPPORTED = re.compile(r"thinking\.type\.(disabled|between_tools)\W* is not supported for this model")
_TOO_MANY = re.compile(r"max_tokens: (\d+) > (\d+)")
# What is tried of a model that turns out to think always, where nothing is known of its efforts.
_EFFORT = Effort(levels=("low", "medium", "high"), default="high")


def learn(
    options: Options, asked: Mapping[str, object], sent: Mapping[str, object], refusal: APIStatusError
) -> bool:
    """Remember what a refusal tells of the model, if it tells something of what was sent.

    Args:
        options: The client's settings.
        asked: The request for a completion.
        sent: The request for a message that was made of it.
        refusal: The service's answer.

    Returns:
        Whether something was learned, so that another request differs from this one.
    """
    if not options.learn or refusal.status_code != 400 or refusal.type != "invalid_request_error":
        return False
    key = options.base_url, str(asked["model"])
    known = support_of(options, key[1])
    for lesson in _LESSONS:
        found = lesson(asked, sent, message_of(refusal), known)
        if found is not None and found != known:
            options.learned[key] = found
            return True
    return False


def support_of(options: Options, model: str) -> MessagesSupport:
    """Return how Messages serves a model, as far as refusals or the contract tell."""
    found = options.learned.get((options.base_url, model))
    return found if isinstance(found, MessagesSupport) else messages_support(model)


def _sampling(
    asked: Mapping[str, object], sent: Mapping[str, object], words: str, known: MessagesSupport
) -> MessagesSupport | None:
    if (match := _DEPRECATED.search(words)) and match[1] in sent:
        return replace(known, sampling="none")
    if "cannot both be specified" in words and {"temperature", "top_p"} <= sent.keys():
        return replace(known, sampling="one")
    return None


def _prefill(
    asked: Mapping[str, object], sent: Mapping[str, object], words: str, known: MessagesSupport
) -> MessagesSupport | None:
    if "does not support assistant message prefill" in words and _ends_with_prefill(sent):
        return replace(known, prefill=False)
    return None


def _ends_with_prefill(sent: Mapping[str, object]) -> bool:
    return cast("list[JSONObject]", sent["messages"])[-1]["role"] == "assistant"


def _thinking(
    asked: Mapping[str, object], sent: Mapping[str, object], words: str, known: MessagesSupport
) -> MessagesSupport | None:
    if "thinking" in asked or "thinking" not in sent:
        return None
    thinking = sent["thinking"]
    kind = thinking.get("type") if isinstance(thinking, dict) else None
    if kind == "disabled" and "between_tools" in words:
        return replace(known, off_switch="between_tools")
    if (match := _NOT_SUPPORTED.search(words)) and match[1] == kind:
        return replace(known, thinking="always", off_switch=None, effort=known.effort or _EFFORT)
    return None


def _effort(
    asked: Mapping[str, object], sent: Mapping[str, object], words: str, known: MessagesSupport
) -> MessagesSupport | None:
    if "does not support the effort parameter" in words and "output_config" in sent.keys() - asked.keys():
        return replace(known, effort=None)
    return None


def _max_tokens(
    asked: Mapping[str, object], sent: Mapping[str, object], words: str, known: MessagesSupport
) -> MessagesSupport | None:
    """Learn how far the cap can be raised; a cap that was asked for is the caller's to lower."""
    match = _TOO_MANY.search(words)
    least = cast("int", asked["max_tokens_to_sample"])
    if match and int(match[1]) == sent["max_tokens"] and int(match[2]) >= least:
        return replace(known, max_tokens=int(match[2]))
    return None


_LESSONS: tuple[Lesson, ...] = (_sampling, _prefill, _thinking, _effort, _max_tokens)
