"""Decide which model and which endpoint serve a call, and which other call follows a refusal."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .._errors.callers import stacklevel
from .._options import BASE_URL, NOT_GIVEN, flag, mapping
from .._stream.replies import COMPLETIONS
from .arguments import completion_request, encode_body
from .calls import Caller, Extras, Prepared, Request, make_call

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .._errors import APIStatusError
    from .._options import Options
    from ..messages import Loss

_DAY = 24 * 3600
_OFFICIAL_HOST = urlsplit(BASE_URL).hostname


def completion_call(
    caller: Caller, arguments: Mapping[str, object], *, unread: bool, told: Collection[Loss] = ()
) -> Prepared:
    """Return the call that `create` makes of its arguments.

    Args:
        caller: The client.
        arguments: The arguments, by name.
        unread: Whether the reply is left unread although it is no stream.
        told: Losses that were told already.

    Raises:
        TypeError, ValueError: An argument is wrong, or there is no credential.
        LossError: The request as Messages has it would lose something, and the settings say that this is
            an error.
    """
    options = caller.options
    fields = dict(arguments)
    extra_body, betas = fields.pop("extra_body", None), fields.pop("betas", None)
    extras = Extras(
        headers=mapping("extra_headers", fields.pop("extra_headers", None)),
        query=mapping("extra_query", fields.pop("extra_query", None)),
        timeout=fields.pop("timeout", NOT_GIVEN),
        deadline=fields.pop("deadline", NOT_GIVEN),
    )
    check_prompt = flag("check_prompt", fields.pop("check_prompt", False))
    path, body, headers = completion_request(fields, betas, extra_body)
    sent = body.get("model")  # `extra_body` may name another, and anything
    model = sent if isinstance(sent, str) else str(fields["model"])
    if check_prompt:
        from .. import prompts

        prompts.check(str(fields["prompt"]))
    if (instead := model_asked_for(options, model)) != model:
        model = body["model"] = instead
    if options.model_warnings:
        tell_of(model, options.base_url, caller.clock.wall() // _DAY)
    options = _backend_for(options, model)

    def again(told: Collection[Loss]) -> Prepared:
        other = completion_call(caller, arguments, unread=unread, told=told)
        return other._replace(call=other.call._replace(deadline_at=call.deadline_at))

    def by_messages(refusal: APIStatusError) -> Prepared:
        from ..messages._switching import advise, switch

        if options.backend != "auto":
            raise advise(refusal, model, options)
        switch(options, model, refusal)
        return again(())

    if options.backend != "messages":
        call = make_call(caller, _request(path, headers, body, unread), extras)
        return Prepared(call, options, COMPLETIONS, by_messages)
    from ..messages._reader import messages_request

    asked = messages_request(body, options, told)

    def having_learned(refusal: APIStatusError) -> Prepared:
        from ..messages._learning import learn
        from ..messages._losses import LossError
        from ..messages._switching import advise

        if not learn(options, body, asked.request, refusal):
            raise advise(refusal, model, options)
        try:
            return again((*told, *asked.losses))
        except LossError as error:
            raise error from refusal

    call = make_call(caller, _request(asked.path, headers, asked.request, unread), extras)
    return Prepared(call, options, asked.reader, having_learned)


def _request(path: str, headers: Mapping[str, str], body: Mapping[str, object], unread: bool) -> Request:
    return Request(path, headers, encode_body(body), body.get("stream") is True, unread)


def _backend_for(options: Options, model: str) -> Options:
    """Return settings whose `backend` is the endpoint that serves a model, as far as is known."""
    if options.backend == "auto" and (options.base_url, model) in options.only_messages:
        return replace(options, backend="messages")
    return options


def model_asked_for(options: Options, model: str) -> str:
    """Return the model that `model_map` puts in the place of another, and tell of it once per process.

    Where the map says nothing of a model, that is the model itself.
    """
    entries = options.model_map
    if entries is None:
        return model
    instead = entries.get(model)
    from .. import models  # not before it is needed

    if instead is None and entries.recommended:
        instead = models.recommended(model)
    if instead is None or instead == model:
        return model
    if options.model_warnings:
        models.tell_mapped(model, instead, stacklevel=stacklevel())
    return instead


@lru_cache(maxsize=256)  # an answer holds for a day; a warning that is raised is none
def tell_of(model: str, base_url: str, day: float) -> None:
    """Warn of a model that is deprecated or retired, where it is asked of the service that made it so."""
    if urlsplit(base_url).hostname == _OFFICIAL_HOST:
        from .. import models  # not before it is needed

        models.warn_about(model, stacklevel=stacklevel())
