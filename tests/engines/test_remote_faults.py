"""What goes wrong with another computer: refusals, lost connections, garbage, redirects, certificates, cancelling."""

import json
import threading
from pathlib import Path
from time import monotonic
from typing import Any, cast

import pytest

from abierto.engines.remote import Answer, RemoteSession
from abierto.errors import (
    AbiertoError,
    ContentRefused,
    KeyRefused,
    NoCredit,
    PromptTooLong,
    RateLimited,
    RemoteFailed,
    RemoteGarbled,
    RemoteInterrupted,
    RemoteModelUnknown,
    RemoteRedirected,
    RemoteRefused,
    RemoteUnreachable,
)
from abierto.tasks.events import Event, Reasoning
from tests.engines.elsewhere import GROQ, HELLO, KEY, OPENAI_ERROR, OPENROUTER, answered, chunk, said, session
from tests.engines.stand_in_provider import Reply, StandInProvider, stream, told
from tests.engines.tunnel import Tunnel

# HTTP status, body and the error of ours; forms as in the documents that catalog.providers names.
REFUSALS: list[tuple[int, Any, type[AbiertoError]]] = [
    (401, {"error": {**OPENAI_ERROR, "code": "invalid_api_key"}}, KeyRefused),
    (403, {"error": {"code": 403, "message": "no access"}}, KeyRefused),
    (402, {"error": {"code": 402, "message": "Insufficient credits"}}, NoCredit),
    (404, {"error": {**OPENAI_ERROR, "code": "model_not_found"}}, RemoteModelUnknown),
    (410, {"error": {"message": "gone"}, "request_id": "1"}, RemoteModelUnknown),
    (400, {"error": {"message": "x", "code": "model_decommissioned"}}, RemoteModelUnknown),
    (400, {"error": {"code": 400, "message": "says is not a valid model ID"}}, RemoteModelUnknown),
    (
        403,
        {"error": {"code": 403, "message": "m", "metadata": {"reasons": ["x"], "flagged_input": "y"}}},
        ContentRefused,
    ),
    (400, {"error": {"message": "m", "code": "content_filter"}}, ContentRefused),
    (400, {"error": {"message": "m", "type": "invalid_request_error", "param": "top_p"}}, RemoteRefused),
    (422, {"detail": "tools are not there"}, RemoteRefused),
    (400, {"error": "as Hugging Face writes it"}, RemoteRefused),
    (501, {"error": {"message": "not here"}}, RemoteFailed),
    (418, None, RemoteRefused),
]


@pytest.mark.parametrize(("status", "body", "kind"), REFUSALS)
def test_a_refusal_is_told_at_once(provider: StandInProvider, status: int, body: Any, kind: type[AbiertoError]) -> None:
    with pytest.raises(kind) as caught:
        answered(provider, told(body, status))
    assert len(provider.posted) == 1
    assert caught.value.facts["provider"] == "groq"
    assert KEY not in str(caught.value.facts)


def test_a_prompt_that_is_too_long(provider: StandInProvider) -> None:
    message = "This endpoint's maximum context length is 8192 tokens. However, you requested about 9001 tokens."
    with pytest.raises(PromptTooLong) as caught:
        answered(provider, told({"error": {"code": 400, "message": message}}, 400))
    assert (caught.value.tokens, caught.value.context) == (9001, 8192)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 529])
def test_what_may_pass_is_tried_again(provider: StandInProvider, status: int) -> None:
    busy = told({"error": {"message": "busy"}}, status)
    assert said(answered(provider, busy, busy, stream(*GROQ))) == "Hé 你🙂"
    assert len(provider.posted) == 3


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimited), (500, RemoteFailed), (503, RemoteFailed)])
def test_it_is_not_tried_for_ever(provider: StandInProvider, status: int, kind: type[AbiertoError]) -> None:
    with pytest.raises(kind):
        answered(provider, told({"error": {"message": "busy"}}, status))
    assert len(provider.posted) == 5


def test_retry_after_is_obeyed(provider: StandInProvider) -> None:
    began = monotonic()
    answered(provider, told({}, 429, Retry_After="0.4"), stream(*GROQ))
    assert monotonic() - began >= 0.4
    assert len(provider.posted) == 2


def test_who_asks_for_too_long_a_wait_is_told_of(provider: StandInProvider) -> None:
    with pytest.raises(RateLimited) as caught:
        answered(provider, told({"error": {"message": "daily limit"}}, 429, Retry_After="3600"))
    assert caught.value.seconds == 3600
    assert len(provider.posted) == 1


def test_a_connection_that_ends_without_a_word_is_tried_again(provider: StandInProvider) -> None:
    assert said(answered(provider, Reply(silent=True), stream(*GROQ))) == "Hé 你🙂"


@pytest.mark.parametrize("reply", [stream(*GROQ[:3], done=False, drop=True), stream(*GROQ[:3], done=False)])
def test_a_connection_lost_in_the_middle_is_never_tried_again(provider: StandInProvider, reply: Reply) -> None:
    provider.replies = [reply]
    events = session(provider).chat(HELLO)
    came: list[Event] = []
    with pytest.raises(RemoteInterrupted) as caught:
        came.extend(events)
    assert caught.value.characters == len("Hé ")
    assert len(provider.posted) == 1


def test_an_error_in_the_middle(provider: StandInProvider) -> None:
    """As ChatStreamingResponseChunkError of the package openrouter: the code is that of HTTP."""
    broken = chunk({"content": ""}, "error", error={"code": 502, "message": f"provider failed {KEY}"})
    with pytest.raises(RemoteFailed) as caught:
        answered(provider, stream(*OPENROUTER[:3], broken))
    assert caught.value.status == 502
    assert KEY not in caught.value.detail


def test_a_key_that_is_a_word_changes_no_answer(provider: StandInProvider) -> None:
    provider.replies = [stream(*GROQ)]
    assert said(list(session(provider, key="H").chat(HELLO))) == "Hé 你🙂"


def test_garbage_that_repeats_the_key(provider: StandInProvider) -> None:
    with pytest.raises(RemoteGarbled) as caught:
        answered(provider, stream(f"data: you said {KEY}\n\n"))
    assert KEY not in caught.value.detail


def test_an_error_in_a_good_answer(provider: StandInProvider) -> None:
    with pytest.raises(NoCredit):
        answered(provider, told({"error": {"code": 402, "message": "Insufficient credits"}}))


def test_an_error_as_groq_tells_it_in_a_stream(provider: StandInProvider) -> None:
    with pytest.raises(RemoteFailed, match="over capacity"):
        answered(provider, stream(GROQ[0], chunk({}, x_groq={"id": "req_1", "error": "over capacity"})))


def test_content_that_is_refused_in_the_middle(provider: StandInProvider) -> None:
    with pytest.raises(ContentRefused):
        answered(provider, stream(GROQ[2], chunk({}, "content_filter")))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"<html>Log in</html>", headers={"Content-Type": "text/html"}),
        Reply(b"{}", headers={}),
        Reply(b"no json"),
        Reply(b"[1]"),
        stream("data: {broken\n\n"),
        stream("data: 7\n\n"),
        stream({"choices": [{"delta": "text"}]}),
        stream({"choices": {"a": 1}}),
    ],
)
def test_garbage(provider: StandInProvider, reply: Reply) -> None:
    with pytest.raises(RemoteGarbled):
        answered(provider, reply)


def test_half_a_character_is_not_passed_on(provider: StandInProvider) -> None:
    broken = 'data: {"choices": [{"index": 0, "delta": {"content": "a\\ud83d"}, "finish_reason": "stop"}]}\n\n'
    assert said(answered(provider, stream(broken))).encode() == "a\ufffd".encode()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_gets_no_key(provider: StandInProvider, status: int) -> None:
    with StandInProvider() as other:
        there = f"{other.address}/chat/completions"
        with pytest.raises(RemoteRedirected) as caught:
            answered(provider, Reply(status=status, headers={"Location": there}))
        assert caught.value.target in other.address
        assert not other.asked


def test_nobody_listens(provider: StandInProvider) -> None:
    with StandInProvider() as gone:
        address = gone.address
    made = session(provider, address=address)
    with pytest.raises(RemoteUnreachable) as caught:
        list(made.chat(HELLO))
    assert caught.value.host == address.split("/")[2]
    assert "host=" not in caught.value.detail


def test_who_says_nothing_is_given_up(provider: StandInProvider) -> None:
    made = session(provider, timeout="0.2")
    provider.replies = [stream(*GROQ[:3], done=False, hang=True)]
    with pytest.raises(RemoteInterrupted):
        list(made.chat(HELLO))


def test_cancelling_closes_the_connection(provider: StandInProvider) -> None:
    provider.replies = [stream(*GROQ[:3], done=False, hang=True)]
    events = cast("Answer", session(provider).chat(HELLO))
    assert isinstance(next(events), Reasoning)
    events.close()
    assert list(events) == []
    assert provider.gone.wait(5)


@pytest.mark.parametrize(
    "reply",
    [stream(*GROQ[:3], done=False, hang=True), told({"error": {}}, 429, Retry_After="30")],
    ids=["read", "wait"],
)
def test_cancelling_from_another_thread_wakes_who_waits(provider: StandInProvider, reply: Reply) -> None:
    provider.replies = [reply]
    events, woken = cast("Answer", session(provider).chat(HELLO)), threading.Event()

    def read() -> None:
        for _ in events:
            pass
        woken.set()

    thread = threading.Thread(target=read)
    thread.start()
    for _ in range(2):  # the list of models, and the question
        assert provider.arrived.acquire(timeout=5)
    events.close()
    assert woken.wait(5)
    thread.join()
    assert len(provider.posted) == 1


def test_closing_the_session_breaks_off_what_runs(provider: StandInProvider) -> None:
    provider.replies = [stream(*GROQ[:3], done=False, hang=True)]
    made = session(provider)
    events = made.chat(HELLO)
    next(events)
    made.close()
    assert list(events) == []
    assert provider.gone.wait(5)


def test_a_certificate_that_nobody_vouches_for(provider: StandInProvider, certificate: Path) -> None:
    with pytest.raises(RemoteUnreachable):
        list(session(provider).chat(HELLO))
    assert not provider.asked


def test_a_certificate_that_is_vouched_for(provider: StandInProvider, certificate: Path) -> None:
    provider.replies = [stream(*GROQ)]
    assert said(list(session(provider, certificates=str(certificate)).chat(HELLO))) == "Hé 你🙂"


def test_certificates_that_cannot_be_read(provider: StandInProvider, certificate: Path) -> None:
    with pytest.raises(RemoteUnreachable):
        list(session(provider, certificates=str(certificate / "missing")).chat(HELLO))


def test_a_proxy_sees_neither_key_nor_words(
    provider: StandInProvider, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.replies = [stream(*GROQ)]
    with Tunnel() as proxy:
        monkeypatch.setenv("https_proxy", f"http://ana:password@127.0.0.1:{proxy.port}")
        made = session(provider, certificates=str(certificate))
        assert said(list(made.chat(HELLO))) == "Hé 你🙂"
    host = provider.address.split("/")[2]
    assert [head.split(b" HTTP")[0].decode() for head in proxy.heads] == [f"CONNECT {host}"] * 2
    assert all(b"roxy-" in head for head in proxy.heads)
    assert all(KEY.encode() not in passed and b"hello" not in passed for passed in (*proxy.heads, *proxy.passed))


def test_a_proxy_sees_nothing_of_an_address_without_tls(
    provider: StandInProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StandInProvider() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.address.removesuffix("/v1"))
        answered(provider, stream(*GROQ))
        assert not proxy.asked


def test_the_key_is_not_in_what_describes_the_session(provider: StandInProvider) -> None:
    made = session(provider)
    assert isinstance(made, RemoteSession)
    assert KEY not in repr(vars(made))
    assert KEY not in json.dumps({"features": sorted(made.features), "context": made.context})
