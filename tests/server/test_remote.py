"""Models on other computers over the API: only where the settings say so, and with that computer's refusals told."""

import os
from collections.abc import Iterator

import pytest

from tests.engines.stand_in_provider import StandInProvider, stream, told
from tests.server.conftest import Serve, Served

KEY = "sk-secret-0123456789"
ANSWER = {"choices": [{"index": 0, "delta": {"content": "Good morning."}, "finish_reason": "stop"}]}
QUESTION = {"model": "school/says", "messages": [{"role": "user", "content": "Say good morning."}]}


@pytest.fixture(scope="module")
def school() -> Iterator[StandInProvider]:
    """A computer of one's own that demands a key."""
    with StandInProvider() as made:
        yield made


@pytest.fixture(scope="module")
def open_server(serve: Serve, school: StandInProvider) -> Iterator[Served]:
    """A server whose settings let words leave."""
    os.environ["ABIERTO_KEY_SCHOOL"] = KEY
    try:
        yield serve(remotes=f"school={school.address}", remotes_over_api="yes")
    finally:
        del os.environ["ABIERTO_KEY_SCHOOL"]


def test_a_program_cannot_make_words_leave_unless_the_settings_say_so(serve: Serve, school: StandInProvider) -> None:
    asked = len(school.asked)
    with serve(remotes=f"school={school.address}").client() as client:
        for model in ("school/says", "groq/model"):
            refused = client.post("/v1/chat/completions", json={**QUESTION, "model": model})
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "remotes_off")
    assert len(school.asked) == asked


def test_it_works_as_any_model(open_server: Served, school: StandInProvider) -> None:
    school.replies = [stream(ANSWER)]
    with open_server.client() as client:
        body = client.post("/v1/chat/completions", json=QUESTION).json()
        assert body["choices"][0]["message"]["content"] == "Good morning."
        streamed = client.post("/v1/chat/completions", json={**QUESTION, "stream": True})
        assert "Good morning." in streamed.text
    assert school.posted[-1].headers["authorization"] == f"Bearer {KEY}"
    assert school.posted[-1].body["model"] == "says"


def test_the_key_is_in_no_command_line(open_server: Served, school: StandInProvider) -> None:
    school.replies = [stream(ANSWER)]
    with open_server.client() as client:
        assert client.post("/v1/chat/completions", json=QUESTION).status_code == 200
    children = open_server.children()
    assert children
    assert not [child for child in children if KEY in " ".join(child.cmdline())]


def test_a_refusal_is_told_in_the_dialect(open_server: Served, school: StandInProvider) -> None:
    school.replies = [told({"error": {"message": f"slow down, {KEY}"}}, 429, Retry_After="120")]
    with open_server.client() as client:
        refused = client.post("/v1/chat/completions", json=QUESTION)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "120")
    assert refused.json()["error"]["code"] == "rate_limited"
    assert KEY not in refused.text
