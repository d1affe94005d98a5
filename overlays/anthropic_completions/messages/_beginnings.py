"""Ask in words for an answer that begins with a given text, and take that text off the answer.

For models that refuse to continue a text. The answer is compared as it comes; nothing of it is let out before
it is decided whether it begins so.
"""

from __future__ import annotations

from typing import Literal

_ASKING = (
    "\n\nBegin your answer with exactly the text between <beginning> and </beginning>, with nothing before "
    "it and without these tags, and go on from there.\n<beginning>{}</beginning>"
)


def asked_for(beginning: str) -> str:
    """Return what is put at the end of the human's turn to have the answer begin with a text."""
    return _ASKING.format(beginning)


def tokens_of(beginning: str) -> int:
    """Return a number of tokens that a text does not exceed by any tokenizer known, with some to spare.

    The answer repeats it, within the same cap. Inference: half a token for each byte is twice what English
    text takes, and above what digits and East Asian writing take.
    """
    return len(beginning.encode()) // 2 + 4


class Answer:
    """The text of an answer, piece by piece, as completions have it.

    Attributes:
        followed: Whether it begins as it was asked to, exactly or up to white space; None while that is not
            decided, or where nothing was asked for.

    Args:
        leading_space: Whether to put a space before text that does not begin with white space.
        beginning: The text with which it was asked in words to begin, which is taken off; empty for none.
            What follows it gets no space, as it continues it.
    """

    def __init__(self, *, leading_space: bool = True, beginning: str = "") -> None:
        self.followed: bool | None = None
        self._space_due = leading_space
        self._wanted = "".join(beginning.split())
        self._gap = beginning[len(beginning.rstrip()) :]
        self._stage: Literal["beginning", "gap", "open"] = "beginning" if self._wanted else "open"
        self._matched = 0  # characters of what is wanted
        self._held: list[str] = []

    def feed(self, text: str) -> str:
        """Return what can be let out after one more piece."""
        if self._stage == "beginning":
            for index, character in enumerate(text):
                if character.isspace():
                    continue
                if character != self._wanted[self._matched]:
                    return self._not_followed(text)
                self._matched += 1
                if self._matched == len(self._wanted):
                    self._stage, self.followed, self._held = "gap", True, []
                    text = text[index + 1 :]
                    break
            else:
                self._held.append(text)
                return ""
        if self._stage == "gap":
            return self._after_gap(text)
        return self._spaced(text)

    def end(self) -> str:
        """Return what was held back to the end."""
        return self._not_followed("") if self._stage == "beginning" else ""

    def _not_followed(self, text: str) -> str:
        whole = "".join([*self._held, text])
        self._stage, self.followed, self._held = "open", False, []
        return self._spaced(whole)

    def _after_gap(self, text: str) -> str:
        """Take off the white space with which the beginning ends, or whatever white space is in its place."""
        text = "".join([*self._held, text])
        if text.startswith(self._gap):
            text = text[len(self._gap) :]
        elif self._gap.startswith(text) or not (text := text.lstrip()):
            self._held = [text]
            return ""
        self._stage, self._space_due, self._held = "open", False, []
        return text

    def _spaced(self, text: str) -> str:
        if not text or not self._space_due:
            return text
        self._space_due = False
        return text if text[0].isspace() else f" {text}"
