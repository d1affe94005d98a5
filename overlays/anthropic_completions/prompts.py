r"""Read, write and check prompts, which are transcripts: system text, then turns of a human and an assistant.

    >>> str(Prompt().system("Answer in one word.").human("What colour is the sky?"))
    'Answer in one word.\n\nHuman: What colour is the sky?\n\nAssistant:'

The markers `\n\nHuman:` and `\n\nAssistant:` are all the structure that a prompt has. There is no way to
escape one: a marker that is quoted inside somebody's text begins a turn, for the service as for `parse`.
`Prompt` refuses such text unless it is told to take it.

Nothing here knows tokens, so a prompt's length is not checked; the documented limit is under 99,999 tokens,
and the true one of each model is unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ._errors import AnthropicError
from ._options.markers import AI_PROMPT, HUMAN_PROMPT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

__all__ = [
    "AI_PROMPT",
    "HUMAN_PROMPT",
    "InvalidPromptError",
    "Prompt",
    "Reason",
    "Role",
    "Transcript",
    "Turn",
    "Verdict",
    "check",
    "parse",
    "validate",
]


Role = Literal["human", "assistant"]
Reason = Literal["empty", "no_human_turn", "human_not_first", "no_assistant_turn", "assistant_not_last"]

_MARKERS: dict[Role, str] = {"human": HUMAN_PROMPT, "assistant": AI_PROMPT}
_ROLES: dict[str, Role] = {"human": "human", "user": "human", "assistant": "assistant"}
_MARKER = re.compile(f"({HUMAN_PROMPT}|{AI_PROMPT})")
# What was meant as a marker and is none: one newline before it, or newlines with carriage returns.
_NEAR_MISSES: dict[Role, re.Pattern[str]] = {
    "human": re.compile(r"(?<!\n)\nHuman:"),
    "assistant": re.compile(r"(?<!\n)\nAssistant:"),
}
_BARE_HUMAN = HUMAN_PROMPT.lstrip("\n")

_MESSAGES: dict[Reason, str] = {
    "empty": "prompt must not be empty",
    "no_human_turn": r'prompt must start with "\n\nHuman:" turn after an optional system prompt',
    "human_not_first": r'prompt must start with "\n\nHuman:" turn after an optional system prompt',
    "no_assistant_turn": r'prompt must end with "\n\nAssistant:" turn',
    "assistant_not_last": r'prompt must end with "\n\nAssistant:" turn',
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a transcript; `str()` gives it as it stands in the prompt, marker and all.

    Attributes:
        role: Whose turn it is.
        text: What stands between its marker and the next one, exactly, leading space and newlines included.
    """

    role: Role
    text: str

    def __str__(self) -> str:
        return _MARKERS[self.role] + self.text

    @property
    def content(self) -> str:
        """What was said: the text without the one space that separates it from its marker."""
        return self.text.removeprefix(" ")


@dataclass(frozen=True, slots=True)
class Transcript:
    """A prompt, taken apart without loss: `parse(prompt).build() == prompt`, whatever the prompt.

    Attributes:
        system: The text before the first marker; empty where there is none.
        turns: The turns in order.
    """

    system: str = ""
    turns: tuple[Turn, ...] = ()

    def build(self) -> str:
        """Return the prompt."""
        return self.system + "".join(map(str, self.turns))


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt in the making; each method returns a new one and `str()` gives the text.

    Attributes:
        transcript: What it is made of.
    """

    transcript: Transcript = Transcript()

    @classmethod
    def from_turns(cls, turns: Iterable[Mapping[str, str]], *, allow_markers: bool = False) -> Self:
        """Make a prompt of pairs of role and content, such as `{"role": "user", "content": "Hello"}`.

        Args:
            turns: The pairs. Roles are `human` or `user`, `assistant`, and for the first one `system`.
            allow_markers: Whether to take text that holds a turn marker.

        Raises:
            TypeError: A pair is none, or a content is no text.
            ValueError: A role is unknown, `system` is not the first, or a text holds a turn marker.
        """
        prompt = cls()
        for index, turn in enumerate(turns):
            try:
                role, content = turn["role"], turn["content"]
            except (KeyError, TypeError):
                raise TypeError(f"turns[{index}]: expected role and content, got {turn!r:.60}") from None
            if not isinstance(content, str):
                raise TypeError(f"turns[{index}]: expected text as content, got {type(content).__name__}")
            if role == "system" and index:
                raise ValueError(f"turns[{index}]: system text can only stand before all turns")
            if role == "system":
                prompt = prompt.system(content, allow_markers=allow_markers)
            elif role in tuple(_ROLES):  # of what cannot be hashed, a dict cannot tell
                prompt = prompt._with_turn(_ROLES[role], content, allow_markers)
            else:
                raise ValueError(
                    f"turns[{index}]: expected the role human, user, assistant or system, got {role!r}"
                )
        return prompt

    def system(self, text: str, *, allow_markers: bool = False) -> Self:
        """Return the prompt with this text before all turns, in place of any that was there.

        Models before claude-2.1 refused such text.

        Args:
            text: The text.
            allow_markers: Whether to take text that holds a turn marker.

        Raises:
            TypeError: It is no text.
            ValueError: The text holds a turn marker, or begins with `Human:`, which is taken for one.
        """
        _check_text(text, allow_markers)
        if not allow_markers and text.startswith(_BARE_HUMAN):
            raise ValueError(f"the text begins with {_BARE_HUMAN!r}, which is taken for a turn marker")
        return replace(self, transcript=replace(self.transcript, system=text))

    def human(self, text: str, *, allow_markers: bool = False) -> Self:
        """Return the prompt with a turn of the human added.

        Args:
            text: What the human says.
            allow_markers: Whether to take text that holds a turn marker, and so begins further turns.

        Raises:
            TypeError: It is no text.
            ValueError: The text holds a turn marker; its position is told.
        """
        return self._with_turn("human", text, allow_markers)

    def assistant(self, text: str = "", *, allow_markers: bool = False) -> Self:
        """Return the prompt with a turn of the assistant added; the model continues it where it is the last.

        Args:
            text: What the assistant says. As the last turn it should not end in white space.
            allow_markers: Whether to take text that holds a turn marker, and so begins further turns.

        Raises:
            TypeError: It is no text.
            ValueError: The text holds a turn marker; its position is told.
        """
        return self._with_turn("assistant", text, allow_markers)

    def build(self, *, open_turn: bool = True) -> str:
        """Return the prompt's text.

        Args:
            open_turn: Whether to end in `\\n\\nAssistant:` where the last turn is the human's, as the service
                demands.
        """
        turns = self.transcript.turns
        ending = AI_PROMPT if open_turn and turns and turns[-1].role == "human" else ""
        return self.transcript.build() + ending

    def __str__(self) -> str:
        return self.build()

    def _with_turn(self, role: Role, text: str, allow_markers: bool) -> Self:
        _check_text(text, allow_markers)
        turn = Turn(role, f" {text}" if text else "")
        turns = (*self.transcript.turns, turn)
        return replace(self, transcript=replace(self.transcript, turns=turns))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the service makes of a prompt; true where it takes it.

    Attributes:
        ok: Whether it takes the prompt.
        reason: Why not: the prompt is `empty`; it has `no_human_turn`; the first turn is the assistant's
            (`human_not_first`); it has `no_assistant_turn`; the last turn is the human's
            (`assistant_not_last`). None where it is taken.
        position: Where the expected marker is missing, as an index into the prompt: at something that was
            meant as one (a single newline before it), at the turn that stands in its place, or at the end.
            None where the prompt is taken.
        message: The reason in the service's words, as far as they are known; None where the prompt is taken.
        sanitised: The prompt after what the service changes before it looks: `\\n\\n` is put before a prompt
            that begins with `Human:`, and spaces after a last `\\n\\nAssistant:` are removed. Documented as
            subject to change. Whether spaces after a prefill are removed too is unknown; here they stay.
    """

    ok: bool
    reason: Reason | None
    position: int | None
    message: str | None
    sanitised: str

    def __bool__(self) -> bool:
        return self.ok


class InvalidPromptError(AnthropicError, ValueError):
    """The service would refuse the prompt; nothing was sent.

    Attributes:
        reason: Why, see `Verdict.reason`.
        position: Where, as an index into the prompt, see `Verdict.position`.
    """

    reason: Reason
    position: int

    def __init__(self, message: str, *, reason: Reason, position: int) -> None:
        super().__init__(message)
        self.reason = reason
        self.position = position


def parse(prompt: str) -> Transcript:
    """Take a prompt apart, without judging or changing it."""
    system, *rest = _MARKER.split(prompt)
    turns = (
        Turn("human" if marker == HUMAN_PROMPT else "assistant", text)
        for marker, text in zip(rest[::2], rest[1::2], strict=True)
    )
    return Transcript(system, tuple(turns))


def validate(prompt: str) -> Verdict:
    """Tell whether the service takes a prompt, and where it does not, why and where.

    The rules are those of the API's page on prompt validation. The limit in tokens is not checked: that
    takes a tokenizer. Text before the first turn is taken, as it is from claude-2.1 on.
    """
    sanitised = _sanitise(prompt)
    reason = _reason(sanitised)
    if reason is None:
        return Verdict(True, None, None, None, sanitised)
    return Verdict(False, reason, _position(prompt, reason), _MESSAGES[reason], sanitised)


def check(prompt: str) -> None:
    """Raise where the service would refuse a prompt; what it would only sanitise passes.

    Raises:
        InvalidPromptError: It would; the error holds position and reason.
    """
    verdict = validate(prompt)
    if verdict.reason is not None and verdict.position is not None:
        raise InvalidPromptError(
            f"{verdict.message} (at position {verdict.position} of {len(prompt)}); "
            'write a question as f"{HUMAN_PROMPT} …{AI_PROMPT}"',
            reason=verdict.reason,
            position=verdict.position,
        )


def _sanitise(prompt: str) -> str:
    if prompt.startswith(_BARE_HUMAN):
        prompt = "\n\n" + prompt
    trimmed = prompt.rstrip(" ")
    return trimmed if trimmed.endswith(AI_PROMPT) else prompt


def _reason(prompt: str) -> Reason | None:
    markers = _MARKER.findall(prompt)
    if not prompt:
        return "empty"
    if HUMAN_PROMPT not in markers:
        return "no_human_turn"
    if markers[0] != HUMAN_PROMPT:
        return "human_not_first"
    if AI_PROMPT not in markers:
        return "no_assistant_turn"
    return "assistant_not_last" if markers[-1] != AI_PROMPT else None


def _position(prompt: str, reason: Reason) -> int:
    """Return where a marker is missing, see `Verdict.position`."""
    marks = [match.start() for match in _MARKER.finditer(prompt)]
    if reason in ("no_human_turn", "human_not_first"):
        first = marks[0] if marks else len(prompt)
        near = _NEAR_MISSES["human"].search(prompt, 0, first)
        return near.start() if near else first
    nears = list(_NEAR_MISSES["assistant"].finditer(prompt, marks[-1] if marks else 0))
    return nears[-1].start() if nears else len(prompt)


def _check_text(text: object, allow_markers: bool) -> None:
    if not isinstance(text, str):
        raise TypeError(f"text: expected text, got {type(text).__name__}")
    if not allow_markers and (match := _MARKER.search(text)):
        raise ValueError(
            f"the text holds the turn marker {match[0]!r} at position {match.start()}; "
            "allow_markers=True takes it as it is"
        )
