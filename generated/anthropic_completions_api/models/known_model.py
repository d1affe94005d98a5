from typing import Literal

KnownModel = Literal[
    "claude-3-haiku-20240307",
    "claude-haiku-4-5",
    "claude-haiku-4-5-20251001",
    "claude-mythos-preview",
    "claude-opus-4-0",
    "claude-opus-4-1",
    "claude-opus-4-1-20250805",
    "claude-opus-4-20250514",
    "claude-opus-4-5",
    "claude-opus-4-5-20251101",
    "claude-opus-4-6",
    "claude-opus-4-7",
    "claude-opus-4-8",
    "claude-sonnet-4-0",
    "claude-sonnet-4-20250514",
    "claude-sonnet-4-5",
    "claude-sonnet-4-5-20250929",
    "claude-sonnet-4-6",
]

KNOWN_MODEL_VALUES: set[KnownModel] = {
    "claude-3-haiku-20240307",
    "claude-haiku-4-5",
    "claude-haiku-4-5-20251001",
    "claude-mythos-preview",
    "claude-opus-4-0",
    "claude-opus-4-1",
    "claude-opus-4-1-20250805",
    "claude-opus-4-20250514",
    "claude-opus-4-5",
    "claude-opus-4-5-20251101",
    "claude-opus-4-6",
    "claude-opus-4-7",
    "claude-opus-4-8",
    "claude-sonnet-4-0",
    "claude-sonnet-4-20250514",
    "claude-sonnet-4-5",
    "claude-sonnet-4-5-20250929",
    "claude-sonnet-4-6",
}


def check_known_model(value: str) -> KnownModel:
    if value in KNOWN_MODEL_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {KNOWN_MODEL_VALUES!r}"
    )
