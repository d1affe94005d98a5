"""`restore` for the old package itself: its `client.completions` served by Messages, and given back."""

import json

import anthropic

from anthropic_completions import restore
from anthropic_completions.types import Completion
from compat.recorder import Recorder, Reply
from support import ARGUMENTS, KEY

MESSAGE = {
    "id": "msg_1",
    "model": "claude-2.1",
    "content": [{"type": "text", "text": "Hello!"}],
    "stop_reason": "end_turn",
}


def test_the_old_package_can_be_served_by_messages(recorder: Recorder) -> None:
    recorder.expect(Reply(json.dumps(MESSAGE).encode()))
    with anthropic.Anthropic(api_key=KEY, base_url=recorder.url) as client:
        with restore(anthropic):
            completion = client.completions.create(**ARGUMENTS, top_k=anthropic.NOT_GIVEN)
        assert isinstance(completion, Completion)
        assert completion.completion == " Hello!"
        assert recorder.requests[0].target == "/v1/messages"
        assert type(client.completions).__module__.startswith("anthropic.")
