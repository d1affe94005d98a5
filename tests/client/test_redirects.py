"""Redirects: followed within the origin by 307 and 308 only; nothing goes anywhere else."""

from typing import Any

import httpx
import pytest

from anthropic_completions import APIStatusError
from support import KEY, Script, World, chunk, completion_reply, stream_reply

BASE = "http://service:8080"


def redirect(status: int, location: str) -> httpx.Response:
    return httpx.Response(status, headers={"location": location, "request-id": "req_1"}, text="Moved.")


def refused(world: World, reply: httpx.Response, **arguments: Any) -> APIStatusError:
    """Return the error of a call that is answered with a redirect that is not followed."""
    script = Script([reply])
    with pytest.raises(APIStatusError) as caught:
        world.create(script, {"base_url": BASE}, **arguments)
    assert len(script.requests) == 1
    return caught.value


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("location", ["/other", "http://service:8080/other", "//service:8080/other", "other"])
def test_is_followed_within_the_origin(world: World, status: int, location: str) -> None:
    """Method, body, headers and key are sent again."""
    script = Script([redirect(status, location), completion_reply()])
    completion = world.create(script, {"base_url": BASE})
    assert completion.completion == " Hello! My name is Claude."
    first, second = script.requests
    path = "/v1/other" if location == "other" else "/other"
    assert (second.method, str(second.url)) == ("POST", BASE + path)
    assert second.content == first.content
    assert second.headers == first.headers


def test_is_followed_for_streams(world: World) -> None:
    script = Script([redirect(307, "/other"), stream_reply(chunk("Hi", "stop_sequence"))])
    assert world.stream(script, {"base_url": BASE}).texts == ["Hi"]


def test_the_default_port_is_the_same_origin(world: World) -> None:
    script = Script([redirect(308, "https://api.anthropic.com:443/other"), completion_reply()])
    world.create(script)
    assert len(script.requests) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "http://elsewhere:8080/v1/complete",
        "http://service:9090/v1/complete",
        "http://service/v1/complete",
        "https://service:8080/v1/complete",
        "http://service.elsewhere:8080/v1/complete",
        "//elsewhere/v1/complete",
        "ftp://service:8080/",
    ],
)
def test_is_refused_to_another_origin(world: World, status: int, location: str) -> None:
    error = refused(world, redirect(status, location))
    target = location if "://" in location else f"http:{location}"
    assert error.message == f"Refused a redirect to another origin, {target}; nothing was sent there."
    assert (error.status_code, error.request_id) == (status, "req_1")
    assert error.body == error.response.text == "Moved."


@pytest.mark.parametrize("status", [301, 302, 303])
def test_is_refused_where_the_post_would_become_a_get(world: World, status: int) -> None:
    error = refused(world, redirect(status, "/other"))
    assert error.message == f"Refused a redirect to {BASE}/other: it would turn the POST into a GET."


@pytest.mark.parametrize("status", [300, 304, 305])
def test_a_3xx_that_leads_nowhere_is_an_error_of_its_status(world: World, status: int) -> None:
    error = refused(world, redirect(status, "http://elsewhere/"))
    assert (error.status_code, error.body) == (status, "Moved.")


def test_a_redirect_without_a_target_is_an_error_of_its_status(world: World) -> None:
    assert refused(world, httpx.Response(307)).status_code == 307


def test_a_circle_is_left(world: World) -> None:
    script = Script([redirect(307, "/v1/complete")])
    with pytest.raises(
        APIStatusError, match=r"Stopped after 5 redirects, before http://service:8080/v1/complete\."
    ):
        world.create(script, {"base_url": BASE})
    assert len(script.requests) == 6


@pytest.mark.parametrize(
    "location", ["http://[", "http://service:port/", "\x00", "http://a\x7fb", "", "http://"]
)
def test_a_target_that_is_no_url_is_an_error(world: World, location: str) -> None:
    """Whichever: a documented one, and nothing is sent."""
    script = Script([redirect(307, location), httpx.Response(400)])
    with pytest.raises(Exception) as caught:
        world.create(script, {"base_url": BASE, "max_retries": 0})
    assert type(caught.value).__module__.startswith("anthropic_completions._errors")
    assert {request.url.host for request in script.requests} == {"service"}


def test_a_refused_redirect_holds_no_key(world: World) -> None:
    """httpx prepares the request that it would send next, with the key in it."""
    error = refused(world, redirect(307, "http://elsewhere/"))
    assert error.response.next_request is None
    assert KEY not in repr(error.response.request.headers)


def test_a_client_of_the_users_that_follows_redirects_does_not(world: World) -> None:
    script = Script([redirect(307, "http://elsewhere/"), completion_reply()])
    kind = httpx.Client if world.backend is None else httpx.AsyncClient
    http = kind(transport=httpx.MockTransport(script), follow_redirects=True)
    with pytest.raises(APIStatusError, match="another origin"):
        world.create(None, {"base_url": BASE, "http_client": http})
    assert len(script.requests) == 1
