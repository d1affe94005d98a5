"""What can be seen of a reply, of a result, of a stream, of an error: probes by name."""

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

Probes = Mapping[str, Callable[[Any], Any]]
Seen = dict[str, Any]


def look(prefix: str, thing: Any, probes: Probes) -> Seen:
    """Return what each probe finds; an error that it meets is found as well."""
    seen = {}
    for name, probe in probes.items():
        try:
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                seen[f"{prefix} {name}"] = probe(thing)
        except Exception as error:
            seen[f"{prefix} {name}"] = f"raises {type(error).__name__}"
    return seen


async def settled(value: Any) -> Any:
    """Return a value, awaited where it can be."""
    return await value if inspect.isawaitable(value) else value


async def at_result(result: Any) -> Seen:
    """Look at what a method returned; a stream is read to its end."""
    result = await settled(result)
    if not hasattr(result, "response"):
        return look("result", result, COMPLETION)
    seen = look("stream", result, STREAM)
    chunks = []
    try:
        if hasattr(result, "__aiter__"):
            async for chunk in result:
                chunks.append(chunk)
        else:
            for chunk in result:
                chunks.append(chunk)
    except Exception as error:
        seen |= at_error(error)
    seen["stream text"] = "".join(getattr(chunk, "completion", None) or "" for chunk in chunks)
    seen["stream chunks"] = len(chunks)
    seen["stream is_closed at the end"] = result.response.is_closed
    for number, chunk in enumerate(chunks):
        seen |= look(f"chunk {number}", chunk, COMPLETION)
    return seen


async def at_raw(reply: Any) -> Seen:
    """Look at a reply that is read already."""
    reply = await settled(reply)
    seen = look("raw", reply, REPLY)
    parsed = reply.parse()
    seen["raw parse again"] = reply.parse() is parsed
    seen |= await at_result(parsed)
    return seen | (look("raw", reply, READ_REPLY) if "stream class" not in seen else {})


async def at_unread(manager: Any) -> Seen:
    """Look at a reply that is read when asked, and at its end."""
    if hasattr(manager, "__aenter__"):
        async with manager as reply:
            seen = await _at_unread_reply(reply)
    else:
        with manager as reply:
            seen = await _at_unread_reply(reply)
    return seen | {"unread is_closed at the end": reply.is_closed}


async def _at_unread_reply(reply: Any) -> Seen:
    seen = look("unread", reply, REPLY)
    seen |= await at_result(await settled(reply.parse()))
    if "stream class" not in seen:
        seen["unread read"] = await settled(reply.read())
        seen["unread text"] = await settled(reply.text())
        seen["unread json"] = await settled(reply.json())
        lines = reply.iter_lines()
        seen["unread lines"] = [line async for line in lines] if hasattr(lines, "__aiter__") else list(lines)
    return seen


def at_error(error: Exception) -> Seen:
    """Look at an error; of Python's own kinds only at what they are."""
    own = type(error).__module__.startswith("anthropic")
    return look("error", error, ERROR if own else {"class": ERROR["class"], "caught as": ERROR["caught as"]})


def _after_setting(completion: Any, name: str, value: Any) -> Any:
    copied = type(completion).construct(**completion.to_dict())
    setattr(copied, name, value)
    return getattr(copied, name), list(copied)


REPLY: Probes = {
    "class": lambda r: type(r).__name__,
    "repr": repr,
    "status_code": lambda r: r.status_code,
    "headers": lambda r: r.headers.multi_items(),
    "url": lambda r: r.url.path,
    "method": lambda r: r.method,
    "http_version": lambda r: r.http_version,
    "request_id": lambda r: r.request_id,
    "workspace_id": lambda r: r.workspace_id,
    "retries_taken": lambda r: r.retries_taken,
    "is_closed": lambda r: r.is_closed,
    "http_request": lambda r: (r.http_request.method, r.http_request.url.path, r.http_request.content),
    "http_response": lambda r: r.http_response.status_code,
}
READ_REPLY: Probes = {
    "content": lambda r: r.content,
    "text": lambda r: r.text,
    "elapsed": lambda r: type(r.elapsed).__name__,
    "parse to str": lambda r: r.parse(to=str),
    "parse to object": lambda r: r.parse(to=object),
    "parse to dict[str, object]": lambda r: r.parse(to=dict[str, object]),
    "parse to dict": lambda r: r.parse(to=dict),
    "parse to httpx.Response": lambda r: type(r.parse(to=type(r.http_response))).__name__,
}
COMPLETION: Probes = {
    "class": lambda c: type(c).__name__,
    "value": lambda c: c if c is None or isinstance(c, (str, bytes, int, float, list, dict)) else None,
    "id": lambda c: c.id,
    "completion": lambda c: c.completion,
    "model": lambda c: c.model,
    "stop_reason": lambda c: c.stop_reason,
    "type": lambda c: c.type,
    "stop": lambda c: c.stop,
    "log_id": lambda c: c.log_id,
    "mood": lambda c: c.mood,
    "headers": lambda c: type(c.headers).__name__,
    "no such attribute": lambda c: c.no_such_attribute,
    "getattr with a default": lambda c: getattr(c, "no_such_attribute", "none"),
    "_request_id": lambda c: c._request_id,
    "_workspace_id": lambda c: c._workspace_id,
    "bool": bool,
    "list": list,
    "dict": dict,
    "repr": repr,
    "str": str,
    "f-string": lambda c: f"{c}",
    "to_dict": lambda c: c.to_dict(),
    "to_dict's order": lambda c: list(c.to_dict()),
    "to_dict(mode)": lambda c: c.to_dict(mode="json", use_api_names=False, warnings=False),
    "to_dict(exclude_unset=False)": lambda c: c.to_dict(exclude_unset=False),
    "to_dict(exclude_none)": lambda c: c.to_dict(exclude_none=True),
    "to_dict(exclude_defaults)": lambda c: c.to_dict(exclude_defaults=True),
    "to_json": lambda c: c.to_json(),
    "to_json(indent=None)": lambda c: c.to_json(indent=None, exclude_unset=False),
    "to_json(indent=4)": lambda c: c.to_json(indent=4, exclude_none=True),
    "model_dump": lambda c: c.model_dump(),
    "model_dump's order": lambda c: list(c.model_dump()),
    "model_dump(mode)": lambda c: c.model_dump(mode="json", by_alias=True),
    "model_dump(include)": lambda c: c.model_dump(include={"completion", "model"}),
    "model_dump(exclude)": lambda c: c.model_dump(exclude={"completion"}),
    "model_dump(exclude_unset)": lambda c: c.model_dump(exclude_unset=True),
    "model_dump(exclude_none)": lambda c: c.model_dump(exclude_none=True),
    "model_dump(exclude_defaults)": lambda c: c.model_dump(exclude_defaults=True),
    "model_dump_json": lambda c: c.model_dump_json(),
    "model_dump_json(indent)": lambda c: c.model_dump_json(indent=2, exclude_unset=True),
    "model_extra": lambda c: c.model_extra,
    "model_fields_set": lambda c: c.model_fields_set,
    "made by hand": lambda c: list(type(c)(**c.to_dict())),
    "construct": lambda c: list(type(c).construct(**c.to_dict())),
    "model_construct": lambda c: list(type(c).model_construct(**c.to_dict())),
    "equality": lambda c: (c == type(c)(**c.to_dict()), c == type(c)(**{**c.to_dict(), "completion": "x"})),
    "hash": hash,
    "setting a field": lambda c: _after_setting(c, "completion", "changed"),
    "setting another attribute": lambda c: _after_setting(c, "my_own", 1),
    "pydantic's dict()": lambda c: c.dict(),
    "pydantic's json()": lambda c: c.json(),
    "pydantic's copy()": lambda c: list(c.copy()),
    "pydantic's model_copy": lambda c: list(c.model_copy(update={"completion": "x"})),
    "pydantic's model_validate": lambda c: list(type(c).model_validate(c.to_dict())),
    "pydantic's model_fields": lambda c: list(type(c).model_fields),
}
STREAM: Probes = {
    "class": lambda s: type(s).__name__,
    "status_code": lambda s: s.response.status_code,
    "headers": lambda s: s.response.headers.multi_items(),
    "is an iterator": lambda s: hasattr(s, "__next__") or hasattr(s, "__anext__"),
}
ERROR: Probes = {
    "class": lambda e: type(e).__name__,
    # Classes that nobody catches by name, as they are private, are left out.
    "caught as": lambda e: [
        kind.__name__
        for kind in type(e).__mro__
        if issubclass(kind, Exception) and not kind.__name__.startswith("_")
    ],
    # Without this package's advice, which follows what the old client says.
    "str": lambda e: str(e).removesuffix(f"; {getattr(e, 'advice', None)}"),
    "repr": repr,
    "args": lambda e: e.args,
    "message": lambda e: e.message,
    "status_code": lambda e: e.status_code,
    "body": lambda e: e.body,
    "type": lambda e: e.type,
    "request_id": lambda e: e.request_id,
    "workspace_id": lambda e: e.workspace_id,
    "request": lambda e: (e.request.method, e.request.url.path, e.request.content),
    "response": lambda e: (e.response.status_code, e.response.headers.multi_items(), e.response.text),
    "response.json": lambda e: e.response.json(),
    "cause": lambda e: type(e.__cause__).__name__,
}
