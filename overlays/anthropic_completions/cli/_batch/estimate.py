"""Estimate what a batch would send, for `--dry-run`; nothing is sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from ..._client.routing import model_asked_for
from ...batch._result import merged
from ...messages._requests import translate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ..._options import Options
    from .requests import Reading

# A rule of thumb for English; newer tokenizers make about 30 % more of the same text.
_CHARACTERS_PER_TOKEN = 3.5


def estimate(
    reading: Reading, done: Collection[str | int], options: Options, *, by_messages: bool
) -> Iterator[str]:
    """Yield in lines what the requests are that are not done, as far as can be known without sending them.

    Args:
        reading: The requests.
        done: The ids of those that have results.
        options: The settings of the client: its map of models, and what becomes of a prefill.
        by_messages: Whether Messages serves them, which loses what it has no counterpart for.
    """
    total = before = characters = most_tokens = untranslatable = 0
    losses: Counter[str] = Counter()
    first: dict[str, str] = {}
    quiet = replace(options, model_warnings=False)  # which would tell of each map
    for asked in reading.requests():
        total += 1
        if asked["id"] in done:
            before += 1
            continue
        body = merged(reading.common, asked)
        characters += len(body["prompt"])
        most_tokens += int(body["max_tokens_to_sample"])
        if by_messages:
            try:
                body["model"] = model_asked_for(quiet, body["model"])
                translated = translate(body, prefill=options.prefill, thinking_room=options.thinking_room)
            except ValueError as error:
                untranslatable += 1
                first.setdefault("", f"{asked['id']!r}: {error}")
                continue
            for loss in {one.rule: one for one in translated.losses}.values():
                losses[loss.rule] += 1
                first.setdefault(loss.rule, loss.consequence)
    yield f"{total} requests: {total - before} to send, {before} done before. Nothing was sent."
    tokens = round(characters / _CHARACTERS_PER_TOKEN)
    yield (
        f"{characters} characters of prompts: roughly {tokens} tokens (estimated, at {_CHARACTERS_PER_TOKEN} "
        f"characters each); at most {most_tokens} tokens of answers."
    )
    for rule, count in losses.most_common():
        yield f"{count} would lose something by {rule}: {first[rule]}"
    if untranslatable:
        yield f"{untranslatable} have no counterpart in Messages and would fail, such as {first['']}"
