"""Mistakes in the Python client, each the opposite of a sentence."""

from mutant import Mutant

STREAM = "overlays/anthropic_completions/_stream/assembly.py"
REPLIES = "overlays/anthropic_completions/_stream/replies.py"
EVENTS = "overlays/anthropic_completions/_stream/sse.py"
FAILURES = "overlays/anthropic_completions/_http/failures.py"
EXCHANGE = "overlays/anthropic_completions/_http/exchange.py"
RETRY = "overlays/anthropic_completions/_http/retry.py"
ERRORS = "overlays/anthropic_completions/_errors/base.py"
COMPLETION = "overlays/anthropic_completions/_contract/completion.py"
ARGUMENTS = "overlays/anthropic_completions/_client/arguments.py"
LIMITS = "overlays/anthropic_completions/rate_limits.py"
PROMPTS = "overlays/anthropic_completions/prompts.py"
CHECKS = "overlays/anthropic_completions/_contract/checks.py"
CONTRACT = "generated/anthropic_completions_api/openapi.json"
SCHEMAS = "/components/schemas"
REQUEST_MODEL = "generated/anthropic_completions_api/models/completion_request.py"
METADATA = "generated/anthropic_completions_api/models/metadata.py"

MUTANTS = [
    # Replies
    Mutant("A stop reason may be null.", CONTRACT, f"{SCHEMAS}/StopReason/type", "string"),
    Mutant(
        "A stop reason is text.",
        CONTRACT,
        f"{SCHEMAS}/StopReason/type",
        ["string", "null", "integer", "array"],
    ),
    Mutant("A stop reason is never a truth value.", CONTRACT, f"{SCHEMAS}/StopReason", {}),
    Mutant("A stop reason may be one of a later time.", CONTRACT, f"{SCHEMAS}/StopReason/enum", [None]),
    Mutant("An id is text.", CONTRACT, f"{SCHEMAS}/Completion/properties/id/type", ["string", "integer"]),
    Mutant("An id is not null.", CONTRACT, f"{SCHEMAS}/Completion/properties/id/type", ["string", "null"]),
    Mutant("A reply has an id.", CONTRACT, f"{SCHEMAS}/Completion/required", ["completion", "model", "type"]),
    Mutant("The type of a reply is completion.", CONTRACT, f"{SCHEMAS}/Completion/properties/type", {}),
    Mutant("A text is text.", CONTRACT, f"{SCHEMAS}/Completion/properties/completion", {}),
    Mutant("A model is text.", CONTRACT, f"{SCHEMAS}/Completion/properties/model", {}),
    Mutant("A stop sequence is text or null.", CONTRACT, f"{SCHEMAS}/Completion/properties/stop", {}),
    Mutant("A log id is text.", CONTRACT, f"{SCHEMAS}/Completion/properties/log_id", {}),
    Mutant(
        "Fields that the contract does not name are kept.",
        COMPLETION,
        "self.additional_properties = rest\n",
        "self.additional_properties = {}\n",
    ),
    Mutant(
        "Statuses below 400 other than 200 are no success.",
        EXCHANGE,
        "if response.is_success:",
        "if not response.is_error:",
    ),
    Mutant(
        "An error with status 200 is that error.",
        REPLIES,
        "        if holds_error(body):\n",
        "        if False:\n",
    ),
    Mutant(
        "An error that is no object is none.",
        FAILURES,
        'isinstance(body.get("error"), dict)',
        'body.get("error") is not None',
    ),
    Mutant(
        "The type of an error with status 200 decides.",
        FAILURES,
        'statuses().get(error_type(body) or "") or _told_status(body) or response.status_code',
        "response.status_code",
    ),
    Mutant(
        "A request id of the header overrides the body's.",
        ERRORS,
        '_text(response.headers, "request-id") or _text(body, "request_id")',
        '_text(body, "request_id") or _text(response.headers, "request-id")',
    ),
    Mutant(
        "A request id may be in the body only.",
        ERRORS,
        '_text(response.headers, "request-id") or _text(body, "request_id")',
        '_text(response.headers, "request-id")',
    ),
    Mutant(
        "529 stands for overloaded_error.",
        CONTRACT,
        f"{SCHEMAS}/ErrorDetail/properties/type/x-statuses/overloaded_error",
        503,
    ),
    # Streams
    Mutant(
        "Chunks may follow the stop reason.",
        STREAM,
        '        if name == "completion":\n',
        '        if name == "completion" and self._stopping is not None:\n            return None\n'
        '        if name == "completion":\n',
    ),
    Mutant(
        "The end is that of the last chunk with a stop reason.",
        STREAM,
        "if chunk.stop_reason is not None:",
        "if self._stopping is None and chunk.stop_reason is not None:",
    ),
    Mutant(
        "A chunk's stop reason is text or null.",
        CONTRACT,
        f"{SCHEMAS}/CompletionChunk/properties/stop_reason",
        {},
    ),
    Mutant(
        "A chunk's id, where it comes, is text.", CONTRACT, f"{SCHEMAS}/CompletionChunk/properties/id", {}
    ),
    Mutant(
        "A stream without a stop reason is incomplete.",
        STREAM,
        "        if self._stopping is None:\n            raise",
        "        if not self._texts:\n            raise",
    ),
    Mutant(
        "An error event ends the stream.",
        STREAM,
        '        if name == "error":\n',
        '        if name == "errors":\n',
    ),
    Mutant(
        "Events without a name tell by their data.",
        STREAM,
        "        elif name is None:\n            value = self._object(text)\n",
        "        elif name is None:\n            return None\n",
    ),
    Mutant("[DONE] is ignored.", STREAM, "if text.startswith(DONE):", "if False:"),
    Mutant(
        "Events of other names are ignored, whatever their data.",
        STREAM,
        "        else:\n            return None\n        # Without",
        "        else:\n            value = self._object(text)\n        # Without",
    ),
    Mutant(
        "Data with an error object is an error in a completion event too.",
        STREAM,
        'if "error" in value and holds_error(value):',
        "if False:",
    ),
    Mutant(
        "A completion as JSON in place of a stream is whole.",
        STREAM,
        "self._check(violation_of(fields), fields)",
        "pass",
    ),
    Mutant(
        "Only two line ends are ended by LF.",
        EVENTS,
        "lines = part.splitlines()",
        'lines = part.split(b"\\n")',
    ),
    Mutant(
        "One space after the colon is no part of the data.", EVENTS, "raw = raw[1:]", "raw = raw.lstrip()"
    ),
    Mutant("Data of several lines is joined.", EVENTS, "data += first", "pass"),
    # Requests
    Mutant(
        "Fields that are null are sent.",
        METADATA,
        "if user_id is not UNSET:",
        "if user_id is not UNSET and user_id is not None:",
    ),
    Mutant(
        "Fields that were not given are not sent.",
        REQUEST_MODEL,
        "    temperature: float | Unset = UNSET\n",
        "    temperature: float | Unset = 1.0\n",
    ),
    Mutant(
        "A temperature of 0 is sent.",
        REQUEST_MODEL,
        "if temperature is not UNSET:",
        "if temperature is not UNSET and temperature:",
    ),
    Mutant("Betas are joined with commas.", ARGUMENTS, 'return ",".join(names) or None', "return names[0]"),
    # Waits, limits, prompts
    Mutant("409 is tried again.", RETRY, "(408, 409, 429)", "(408, 429)"),
    Mutant("x-should-retry overrides the status.", RETRY, 'if wish in ("true", "false"):', "if False:"),
    Mutant("x-should-retry is true or false.", RETRY, 'if wish in ("true", "false"):', "if wish:"),
    Mutant("retry-after may be a date.", RETRY, "if seconds is None and value is not None:", "if False:"),
    Mutant("Milliseconds override seconds.", RETRY, "if milliseconds is not None:", "if False:"),
    Mutant("A wait of more than a year is none.", RETRY, "0 < seconds <= _ABSURD", "0 < seconds"),
    Mutant("A wait doubles.", RETRY, "FIRST_BACKOFF * 2.0 **", "FIRST_BACKOFF * 1.5 **"),
    Mutant("A wait has an upper limit.", RETRY, "min(retries_taken, 4)", "min(retries_taken, 5)").beside(
        RETRY, "MAX_BACKOFF = 8.0", "MAX_BACKOFF = 16.0"
    ),
    Mutant("A limit without a time is a limit.", LIMITS, "if not any(values):", "if not all(values):"),
    Mutant(
        "A number of less than 0 is none.",
        LIMITS,
        "value and value.isascii() and value.isdigit() and len(value) < 19",
        'value and value.lstrip("-").isdigit()',
    ),
    Mutant("A time without a zone is none.", LIMITS, "return time if time.tzinfo else None", "return time"),
    Mutant("Spaces after the last marker are removed.", PROMPTS, 'prompt.rstrip(" ")', "prompt"),
    Mutant("Other white space there is not.", PROMPTS, 'prompt.rstrip(" ")', "prompt.rstrip()"),
    Mutant(
        "One newline is no marker.",
        PROMPTS,
        "    markers = _MARKER.findall(prompt)\n",
        '    markers = _MARKER.findall(prompt.replace("\\n", "\\n\\n"))\n',
    ),
]
