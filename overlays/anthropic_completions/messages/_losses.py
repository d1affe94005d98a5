"""`Loss`, `LossError` and the loss warning: how a caller is told what a translation loses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._errors import AnthropicError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing of a completion request that its Messages request does not say, or does not say the same.

    Attributes:
        field: The field of the completion request, such as `top_p` or `stop_sequences[1]`.
        value: What is lost of it: the field's value, or a piece of the prompt.
        rule: The id of the rule in `LOSSES`.
        consequence: What comes of it.
    """

    field: str
    value: object
    rule: str
    consequence: str

    def __str__(self) -> str:
        shown = repr(self.value)
        if len(shown) > 60:
            shown = f"{shown[:40]}… ({len(shown)} characters)"
        return f"{self.field}: {shown}: {self.consequence} [{self.rule}]"


class LossError(AnthropicError, ValueError):
    """Messages cannot say all that a request says, and `on_loss` or `prefill` is `error`.

    Nothing was sent of it; where the service's refusal told of the loss, that is the `__cause__`.

    Attributes:
        losses: What it cannot say.
    """

    def __init__(self, losses: Sequence[Loss]) -> None:
        super().__init__(f"Messages cannot say all of this request. {'; '.join(map(str, losses))}")
        self.losses = tuple(losses)


class LossWarning(UserWarning):
    """Messages cannot say all that a request says. It is sent without what is lost.

    Its text holds no values, so that the same loss of the same line is shown once; `losses` does.

    Attributes:
        losses: What it cannot say.
    """

    def __init__(self, losses: Sequence[Loss]) -> None:
        told = "; ".join(f"{loss.field}: {loss.consequence} [{loss.rule}]" for loss in losses)
        super().__init__(f"Messages cannot say all of this request. {told}")
        self.losses = tuple(losses)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.losses,)
