"""Mistakes in the Go client, each the opposite of a sentence."""

from mutant import Mutant

CLIENT, HEADERS, PROMPTS = (
    f"tests/languages/go/{name}" for name in ("completions.go", "headers.go", "prompts.go")
)
IS_NO_STREAM = (
    'if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != "text/event-stream" {'
)

MUTANTS = [
    # Replies
    Mutant(
        "A stop reason may be null.",
        CLIENT,
        "present.StopReason == nil ||",
        'present.StopReason == nil || string(present.StopReason) == "null" ||',
    ),
    Mutant("A reply has a stop reason.", CLIENT, "present.StopReason == nil ||", "false ||"),
    Mutant("A reply has an id.", CLIENT, "if present.ID == nil || ", "if "),
    Mutant("A reply has a model.", CLIENT, "present.Model == nil ||", "false ||"),
    Mutant(
        "The type of a reply is completion.",
        CLIENT,
        "completion.Type != api.CompletionTypeCompletion {",
        'completion.Type == "" {',
    ),
    Mutant(
        "A field of a chunk that has the wrong type is refused.",
        CLIENT,
        "\tif err := json.Unmarshal(data, chunk); err != nil {",
        '\tif err := json.Unmarshal(data, chunk); err != nil && chunk.Completion == "" {',
    ),
    Mutant(
        "Statuses below 400 other than 200 are no success.",
        CLIENT,
        "response.StatusCode == http.StatusOK",
        "response.StatusCode < 400",
    ),
    Mutant(
        "An error with status 200 is that error.",
        CLIENT,
        "\tif holdsError(data) {\n\t\treturn nil, statusError(response, data)\n\t}\n"
        "\tvar present struct {\n\t\tID,",
        "\tvar present struct {\n\t\tID,",
    ),
    Mutant(
        "An error that is no object is none.",
        CLIENT,
        "var reply struct{ Error map[string]json.RawMessage }",
        "var reply struct{ Error any }",
    ),
    Mutant(
        "An error without a message keeps its type.",
        CLIENT,
        'if kind, ok := reply.Error["type"].(string); ok {',
        'if kind, ok := reply.Error["type"].(string); ok && reply.Error["message"] != nil {',
    ),
    Mutant(
        "A request id of the header overrides the body's.",
        CLIENT,
        'ok && failure.RequestID == "" {',
        "ok {",
    ),
    Mutant(
        "A request id may be in the body only.",
        CLIENT,
        "\t\tfailure.RequestID = id\n",
        "\t\t_ = id\n",
    ),
    # Streams
    Mutant(
        "Content types are compared without their parameters.",
        CLIENT,
        IS_NO_STREAM,
        'if response.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" {',
    ).beside(CLIENT, '\t"mime"\n', ""),
    Mutant(
        "Content types are compared in any letters.",
        CLIENT,
        IS_NO_STREAM,
        'if !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {',
    ).beside(CLIENT, '\t"mime"\n', ""),
    Mutant(
        "Chunks may follow the stop reason.",
        CLIENT,
        "\t\t\tif !yield(chunk, nil) {\n\t\t\t\treturn\n\t\t\t}\n",
        "\t\t\tif !yield(chunk, nil) || complete {\n\t\t\t\treturn\n\t\t\t}\n",
    ),
    Mutant("A stream without a stop reason is incomplete.", CLIENT, "\t\tif !complete {", "\t\tif false {"),
    Mutant(
        "A completion in place of a stream is complete with a stop reason only.",
        CLIENT,
        "err == nil && !stops(chunk) {",
        "err == nil && false {",
    ),
    Mutant("[DONE] is ignored.", CLIENT, '== "[DONE]" {', '== "[FINISHED]" {'),
    Mutant(
        "Events without a name tell by their data.",
        CLIENT,
        '\t\tif _, found := fields["completion"]; found {',
        '\t\tif _, found := fields["text"]; found {',
    ),
    Mutant(
        "An error without a name is an error.",
        CLIENT,
        "\t\tif holdsError(data) {\n\t\t\treturn nil, statusError(response, data)\n\t\t}\n\t\tif _, found",
        "\t\tif _, found",
    ),
    Mutant(
        "Data with an error object is an error in a completion event too.",
        CLIENT,
        '\tcase "completion":\n'
        "\t\tif holdsError(data) {\n\t\t\treturn nil, statusError(response, data)\n\t\t}\n",
        '\tcase "completion":\n',
    ),
    Mutant("An error event ends the stream.", CLIENT, '\tcase "error":\n', '\tcase "errors":\n'),
    Mutant("A chunk has a text.", CLIENT, "err != nil || present.Completion == nil {", "err != nil {"),
    Mutant(
        "A chunk's type, where it comes, is completion.",
        CLIENT,
        "chunk.Type != nil && *chunk.Type != api.CompletionChunkTypeCompletion {",
        "false {",
    ),
    Mutant(
        "A broken connection is incomplete, also after the stop reason.",
        CLIENT,
        '\t\t\tif err != nil {\n\t\t\t\tyield(nil, newError(response, "incomplete", err))\n\t\t\t\treturn',
        "\t\t\tif err != nil {\n\t\t\t\tif !complete {\n"
        '\t\t\t\t\tyield(nil, newError(response, "incomplete", err))\n\t\t\t\t}\n\t\t\t\treturn',
    ),
    # Requests
    Mutant("A token goes into Authorization.", CLIENT, '"Bearer "+options.AuthToken', "options.AuthToken"),
    Mutant("The version is sent.", CLIENT, '"2023-06-01"', '"2023-01-01"'),
    Mutant("A stream is asked for.", CLIENT, "request.Stream = &stream", "_ = stream"),
    # Waits, limits, prompts
    Mutant("409 is tried again.", HEADERS, " || status == http.StatusConflict", ""),
    Mutant("What fails before a reply is tried again.", HEADERS, "status == 0 || ", ""),
    Mutant("x-should-retry overrides the status.", HEADERS, '|| wish == "false"', ""),
    Mutant(
        "retry-after may be a date.",
        HEADERS,
        "time.Parse(http.TimeFormat, value)",
        'time.Parse("2006", value)',
    ),
    Mutant("A wait is above 0.", HEADERS, "|| seconds <= 0 ", ""),
    Mutant("A wait of more than a year is none.", HEADERS, "366 * 24", "36600 * 24"),
    Mutant("Chance takes off a quarter at most.", HEADERS, "0.25*chance", "0.5*chance"),
    Mutant("A number of less than 0 is none.", HEADERS, "err != nil || number < 0", "err != nil"),
    Mutant("Input tokens are no output tokens.", HEADERS, 'read("Input-Tokens")', 'read("Output-Tokens")'),
    Mutant(
        "Human: at the start of a prompt gets its newlines.",
        PROMPTS,
        'prompt = "\\n\\n" + prompt',
        "_ = prompt",
    ),
    Mutant(
        "Only spaces are removed.",
        PROMPTS,
        'strings.TrimRight(prompt, " ")',
        'strings.TrimRight(prompt, " \\n")',
    ),
    Mutant(
        "One space belongs to the marker.",
        PROMPTS,
        'strings.TrimPrefix(text, " ")',
        'strings.TrimLeft(text, " ")',
    ),
    Mutant(
        "Text that would begin a turn is refused.", PROMPTS, "marker.MatchString(turn.Content) ||", "false ||"
    ),
    Mutant("The first turn is the human's.", PROMPTS, "case found[0] != HumanPrompt:", "case false:"),
]
