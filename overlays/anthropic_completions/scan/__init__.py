r"""Find what Python sources and notebooks still use of the old client, by their syntax trees. Pure.

What is found, where the source uses the `anthropic` package:

- imports of `HUMAN_PROMPT`, `AI_PROMPT`, `count_tokens`, `get_tokenizer`, and of the types and resources of
  completions; the same as `anthropic.HUMAN_PROMPT` and the like, also on clients;
- `.completions` of clients that were made in the same source, and `….completions.create(…)` of others unless
  their make is known, or the source imports another package whose clients have the same method, as `openai`;
- methods of clients that were removed even earlier: `completion`, `completion_stream`, `count_tokens`, …;
- errors of `anthropic` in `except` and in arguments (`isinstance`, `suppress`, …), where the source
  completes: completions of this package raise its own `APIError` and subclasses, which they do not catch.

And in any source that does not import `anthropic_completions` yet:

- `….completions.create` with `max_tokens_to_sample`, called or passed on, as to `functools.partial`;
- `max_tokens_to_sample` as a key, where no call was found;
- the markers `\n\nHuman:` and `\n\nAssistant:`, and addresses of `/v1/complete`, in strings.

Calls on clients of `anthropic_completions` are no findings, nor, where the source calls `restore(anthropic)`,
what that gives back. Names are followed by their spelling, from the function where they stand outwards. What
is made at run time is not seen.
"""

from __future__ import annotations

from ._findings import Finding
from ._sources import scan, scan_notebook

__all__ = ["Finding", "scan", "scan_notebook"]
