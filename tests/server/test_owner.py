"""What only the person at the server's computer may do over the API: keys, tokens, what is kept, tuning, engines."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from abierto.server.tokens import Tokens
from tests.engines.stand_in_provider import StandInProvider, stream
from tests.server.conftest import Serve, Served

KEY = "sk-secret-0123456789"
ANSWER = {"choices": [{"index": 0, "delta": {"content": "Good morning."}, "finish_reason": "stop"}]}
OURS = "/abierto/v1"


@pytest.fixture(scope="module")
def school() -> Iterator[StandInProvider]:
    with StandInProvider() as made:
        yield made


@pytest.fixture(scope="module")
def server(serve: Serve, school: StandInProvider) -> Served:
    """A server that knows another computer, logs all that may be logged, and does not yet let words leave."""
    return serve(remotes=f"school={school.address}", log_prompts="yes", cors="https://example.org")


def test_a_key_is_written_and_never_read_back(server: Served, school: StandInProvider) -> None:
    with server.client() as client:
        told = client.get(f"{OURS}/remotes").json()
        assert told["allowed"] is False
        assert [one["key"] for one in told["remotes"] if one["name"] == "school"] == [None]
        kept = client.put(f"{OURS}/remotes/school/key", json={"key": KEY}).json()
        assert kept["key"] in ("file", "keyring")
        assert KEY not in client.get(f"{OURS}/remotes").text
        assert client.get(f"{OURS}/remotes/school/models").json()["error"]["code"] == "remotes_off"
        assert client.put(f"{OURS}/remotes", json={"allowed": True}).json() == {"allowed": True}
        [model] = client.get(f"{OURS}/remotes/school/models").json()["models"]
        assert model["name"] == "school/says"
        school.replies = [stream(ANSWER)]
        body = {"model": "school/says", "messages": [{"role": "user", "content": "hello"}]}
        answer = client.post("/v1/chat/completions", json=body).json()
        assert answer["choices"][0]["message"]["content"] == "Good morning."
        assert school.posted[-1].headers["authorization"] == f"Bearer {KEY}"
        assert client.delete(f"{OURS}/remotes/school/key").json()["key"] is None
        assert client.delete(f"{OURS}/remotes/school/key").status_code == 404
        assert client.put(f"{OURS}/remotes/school/key", json={"key": "two words"}).status_code == 400
    files = [path.read_text("utf-8", "replace") for path in server.home.rglob("*") if path.is_file()]
    assert not [text for text in files if KEY in text]


def test_tokens_are_made_listed_and_taken_back(server: Served) -> None:
    with server.client() as client:
        made = client.post(f"{OURS}/tokens", json={"name": "tablet"})
        assert made.status_code == 201
        token = made.json()["token"]
        listed = client.get(f"{OURS}/tokens")
        assert [one["name"] for one in listed.json()["tokens"]] == ["tablet"]
        assert token not in listed.text
        mine = {"authorization": f"Bearer {token}"}
        assert client.get(f"{OURS}/status", headers=mine).status_code == 200
        assert client.post(f"{OURS}/tokens", json={"name": "a b"}).status_code == 400
        assert client.delete(f"{OURS}/tokens/tablet").status_code == 200
        assert client.get(f"{OURS}/status", headers=mine).status_code == 401


def test_others_may_do_none_of_it(serve: Serve, tmp_path: Path) -> None:
    home = tmp_path / "home"
    token = Tokens(home / "data").add("tablet")
    served = serve("--host", "0.0.0.0", home=home)
    served.address = served.address.replace("0.0.0.0", "127.0.0.1")
    with served.client(headers={"authorization": f"Bearer {token}"}) as client:
        assert client.get(f"{OURS}/status").status_code == 200
        for method, path, body in (
            ("GET", "remotes", None),
            ("PUT", "remotes", {"allowed": True}),
            ("PUT", "remotes/groq/key", {"key": KEY}),
            ("GET", "tokens", None),
            ("POST", "tokens", {"name": "another"}),
            ("DELETE", "tokens/tablet", None),
            ("GET", "storage", None),
            ("DELETE", "storage/runs", None),
            ("POST", "models/remove", {"model": "smollm2:135m"}),
        ):
            refused = client.request(method, f"{OURS}/{path}", json=body)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "owner_only"), path


def test_a_page_that_is_only_listed_may_not_either(server: Served) -> None:
    with server.client(headers={"origin": "https://example.org"}) as client:
        assert client.get(f"{OURS}/status").status_code == 200
        assert client.get(f"{OURS}/tokens").json()["error"]["code"] == "forbidden_origin"


def test_what_is_kept_is_told_and_deleted_by_part(server: Served) -> None:
    with server.client() as client:
        for title in ("one", "two"):
            body = {"title": title, "model": "echo", "messages": [{"role": "user", "content": title}]}
            client.post(f"{OURS}/conversations", json=body)
        told = client.get(f"{OURS}/storage").json()
        assert Path(told["data"]).is_relative_to(server.home)
        assert (told["counts"]["conversations"], told["begun"]) == (2, [])
        assert told["journal"] > 0
        assert client.delete(f"{OURS}/storage/conversations").json()["deleted"] == 2
        assert client.get(f"{OURS}/storage").json()["counts"]["conversations"] == 0
        assert client.delete(f"{OURS}/storage/cache").json() == {"part": "cache", "freed": 0}
        assert client.delete(f"{OURS}/storage/models").status_code == 400
        assert client.post(f"{OURS}/models/remove", json={"model": "no-such"}).status_code == 404


def test_a_model_is_tuned_and_the_table_stays(server: Served) -> None:
    with server.client() as client:
        reply = client.post(f"{OURS}/tunings", json={"model": "echo"})
        told = [line.partition(": ")[2] for line in reply.text.splitlines() if line.startswith("event: ")]
        assert told[0] == "step"
        assert "row" in told
        assert told[-1] == "end"
        end = json.loads(reply.text.rpartition("data: ")[2])
        assert end["choice"]["one_user"]["engine"] == "echo"
        kept = client.get(f"{OURS}/tunings", params={"model": "echo"}).json()
        assert kept["rows"][0]["speeds"] == end["rows"][0]["speeds"]
        assert client.post(f"{OURS}/tunings", json={"model": "no-such"}).status_code == 404


def test_another_engine_is_chosen_and_the_first_one_leaves(server: Served) -> None:
    def engines() -> set[str]:
        residents = client.get(f"{OURS}/status").json()["residents"]
        return {one["engine"] for one in residents if one["model"] == "says"}

    with server.client() as client:
        [says] = [one for one in client.get(f"{OURS}/models").json()["models"] if one["name"] == "says"]
        assert says["engines"] == ["llamacpp", "openvino"]
        body = {"model": "says", "messages": [{"role": "user", "content": "hello"}]}
        for engine in ("llamacpp", "openvino"):
            assert client.post(f"{OURS}/models/load", json={"model": "says", "engine": engine}).status_code == 200
            answer = client.post("/v1/chat/completions", json=body).json()
            assert answer["choices"][0]["message"]["content"]
            assert any(engines() == {engine} for _ in range(5000))  # the other one has gone
        unknown = client.post(f"{OURS}/models/load", json={"model": "says", "engine": "none"})
        assert unknown.json()["error"]["code"] == "unknown_engine"


def test_the_licences_of_packages_and_models_are_told(server: Served) -> None:
    with server.client() as client:
        told = client.get(f"{OURS}/licenses").json()["licenses"]
    assert {"starlette", "msgspec"} <= {one["name"].partition(" ")[0] for one in told if one["license"]}
