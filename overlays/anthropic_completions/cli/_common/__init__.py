"""Options, prompts, exit codes and messages that several commands have."""

from __future__ import annotations

from .options import (
    MODEL,
    arguments_of,
    check_credentials,
    request_options,
    request_options_but_model,
    service_options,
    settings_in,
)
from .prompts import Form, as_prompt, is_transcript, objects_in, prompt_options, read_prompt
from .telling import (
    FAILED,
    INTERRUPTED,
    WRONG,
    address,
    cannot_listen,
    described,
    examples,
    fail,
    harmless,
    is_terminal,
    tell,
)

__all__ = [
    "FAILED",
    "INTERRUPTED",
    "MODEL",
    "WRONG",
    "Form",
    "address",
    "arguments_of",
    "as_prompt",
    "cannot_listen",
    "check_credentials",
    "described",
    "examples",
    "fail",
    "harmless",
    "is_terminal",
    "is_transcript",
    "objects_in",
    "prompt_options",
    "read_prompt",
    "request_options",
    "request_options_but_model",
    "service_options",
    "settings_in",
    "tell",
]
