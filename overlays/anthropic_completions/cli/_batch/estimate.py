"""Estimate what a batch would send, for `--dry-run`; nothing is sent."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ...batch._result import merged
from ...messages._requests import translate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .requests import Reading, Way

# A rule of thumb for English; newer tokenizers make about 30 % more of the same text.
_CHARACTERS_PER_TOKEN = 3.5


def estimate(reading: Reading, done: Collection[str | int], way: Way) -> Iterator[str]:
    """Yield in lines what the requests are that are not done, as far as can be known without sending them.

    Args:
        reading: The requests.
        done: The ids of those that have results.
        way: What becomes of each on its way: those that Messages serves lose what it has no counterpart for.
    """
    total = before = characters = most_tokens = untranslatable = 0
    losses: Counter[str] = Counter()
    first: dict[str, str] = {}
    options = way.options
    for asked in reading.requests():
        total += 1
        if asked["id"] in done:
            before += 1
            continue
        body = merged(reading.common, asked)
        characters += len(body["prompt"])
        most_tokens += int(body["max_tokens_to_sample"])
        if way.is_by_messages(body["model"]):
            try:
                body["model"] = way.asked(body["model"])
                translated = translate(body, prefill=options.prefill, thinking_room=options.thinking_room)
            except ValueError as error:
                untranslatable += 1
                first.setdefault("", f"{asked['id']!r}: {error}")
                continue
            for loss in {one.rule: one for one in translated.losses}.values():
                losses[loss.rule] += 1
                first.setdefault(loss.rule, loss.consequence)
    requests = "1 request" if total == 1 else f"{total} requests"
    yield f"{requests}: {total - before} to send, {before} done before. Nothing was sent."
    tokens = round(characters / _CHARACTERS_PER_TOKEN)
    yield (
        f"{characters} characters of prompts: roughly {tokens} tokens (estimated, at {_CHARACTERS_PER_TOKEN} "
        f"characters each); at most {most_tokens} tokens of answers."
    )
    for rule, count in losses.most_common():
        yield f"{count} would lose something by {rule}: {first[rule]}"
    if untranslatable:
        yield f"{untranslatable} have no counterpart in Messages and would fail, such as {first['']}"
