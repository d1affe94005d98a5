"""Quick checks, made of the contract: what they pass is right; `schema` explains the rest."""

# Made of openapi.yaml by `make generate`. Do not edit.

_FIELDS_1 = frozenset(
    [
        "max_tokens_to_sample",
        "metadata",
        "model",
        "prompt",
        "stop_sequences",
        "stream",
        "temperature",
        "top_k",
        "top_p",
    ]
)
_FIELDS_2 = frozenset(["user_id"])
REQUEST_FIELDS = _FIELDS_1


def is_completion(value: object) -> bool:
    """Tell whether a value is certainly what the contract calls Completion."""
    return (
        type(value) is dict
        and "id" in value
        and type(value["id"]) is str
        and "completion" in value
        and type(value["completion"]) is str
        and "model" in value
        and type(value["model"]) is str
        and "stop_reason" in value
        and (type(value["stop_reason"]) is str or value["stop_reason"] is None)
        and "type" in value
        and type(value["type"]) is str
        and value["type"] == "completion"
        and ("stop" not in value or (type(value["stop"]) is str or value["stop"] is None))
        and ("log_id" not in value or type(value["log_id"]) is str)
    )


def is_completion_chunk(value: object) -> bool:
    """Tell whether a value is certainly what the contract calls CompletionChunk."""
    return (
        type(value) is dict
        and "completion" in value
        and type(value["completion"]) is str
        and ("id" not in value or type(value["id"]) is str)
        and ("model" not in value or type(value["model"]) is str)
        and (
            "stop_reason" not in value or (type(value["stop_reason"]) is str or value["stop_reason"] is None)
        )
        and ("type" not in value or (type(value["type"]) is str and value["type"] == "completion"))
        and ("stop" not in value or (type(value["stop"]) is str or value["stop"] is None))
        and ("log_id" not in value or type(value["log_id"]) is str)
    )


def is_completion_request(value: object) -> bool:
    """Tell whether a value is certainly what the contract calls CompletionRequest."""
    return (
        type(value) is dict
        and value.keys() <= _FIELDS_1
        and "max_tokens_to_sample" in value
        and type(value["max_tokens_to_sample"]) is int
        and value["max_tokens_to_sample"] >= 1
        and "model" in value
        and type(value["model"]) is str
        and "prompt" in value
        and type(value["prompt"]) is str
        and len(value["prompt"]) >= 1
        and (
            "metadata" not in value
            or (
                type(value["metadata"]) is dict
                and value["metadata"].keys() <= _FIELDS_2
                and (
                    "user_id" not in value["metadata"]
                    or (
                        (
                            type(value["metadata"]["user_id"]) is str
                            and len(value["metadata"]["user_id"]) <= 256
                        )
                        or value["metadata"]["user_id"] is None
                    )
                )
            )
        )
        and (
            "stop_sequences" not in value
            or (
                type(value["stop_sequences"]) is list
                and all(type(item) is str for item in value["stop_sequences"])
            )
        )
        and ("stream" not in value or type(value["stream"]) is bool)
        and (
            "temperature" not in value
            or (
                (type(value["temperature"]) is float or type(value["temperature"]) is int)
                and value["temperature"] <= 1
                and value["temperature"] >= 0
            )
        )
        and ("top_k" not in value or (type(value["top_k"]) is int and value["top_k"] >= -1))
        and (
            "top_p" not in value
            or (
                (type(value["top_p"]) is float or type(value["top_p"]) is int)
                and value["top_p"] <= 1
                and value["top_p"] >= -1
            )
        )
    )


QUICK = {
    "Completion": is_completion,
    "CompletionChunk": is_completion_chunk,
    "CompletionRequest": is_completion_request,
}
