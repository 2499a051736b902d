"""Who may come in: foreign names and pages, tokens, and what a page that is listed may do."""

from itertools import count
from pathlib import Path

import pytest

from abierto.config import Settings
from abierto.errors import ForbiddenHost, ForbiddenOrigin, TokenMissing, TooManyRequests
from abierto.server import guard
from abierto.server.tokens import PREFIX, Tokens
from tests.server.conftest import Serve, Served

PAGE = "https://page.example"
SAYS = {"model": "echo", "messages": [{"role": "user", "content": "hello"}]}
CHAT = "/v1/chat/completions"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.evil.example", "localhost.evil.example", "10.0.0.1", ""]
)
def test_a_name_that_was_made_to_lead_here_is_refused(host: str) -> None:
    with pytest.raises(ForbiddenHost):
        guard.check_host({"host": host}, "127.0.0.1")


@pytest.mark.parametrize("host", ["127.0.0.1:11435", "localhost", "LOCALHOST:1", "[::1]:11435", "127.0.0.2:80"])
def test_a_name_of_this_computer_passes(host: str) -> None:
    guard.check_host({"host": host}, "127.0.0.1")


@pytest.mark.parametrize("origin", ["null", "http://localhost:3000", "https://evil.example", "file://", ""])
def test_a_page_that_is_not_ours_is_refused(origin: str) -> None:
    with pytest.raises(ForbiddenOrigin):
        guard.check_origin({"host": "localhost:11435", "origin": origin}, [PAGE])


def test_what_a_page_fetches_without_origin_is_refused_and_a_link_is_not() -> None:
    with pytest.raises(ForbiddenOrigin):
        guard.check_origin({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, [])
    guard.check_origin({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, [])
    guard.check_origin({"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}, [])


@pytest.mark.parametrize(
    ("host", "local"),
    [
        *((host, True) for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8")),
        *((host, False) for host in ("0.0.0.0", "::", "", "127.evil.example", "192.168.1.2")),
    ],
)
def test_what_only_this_computer_reaches(host: str, local: bool) -> None:
    assert guard.is_loopback(host) is local


def test_a_limit_per_minute(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    key = {"authorization": f"Bearer {tokens.add('ana', 2)}"}
    times = iter([0.0, 10.0, 20.0, 59.5, 60.5, 61.0])
    door = guard.Guard(Settings(), tokens, lambda: next(times))
    assert [door.admit("/v1/models", key) for _ in range(2)] == ["ana", "ana"]
    for seconds in (40, 1):
        with pytest.raises(TooManyRequests) as refused:
            door.admit("/v1/models", key)
        assert (refused.value.limit, refused.value.seconds) == (2, seconds)
    assert door.admit("/v1/models", key) == "ana"
    with pytest.raises(TooManyRequests):
        door.admit("/v1/models", key)


def test_the_key_of_the_persons_own_programs_passes_everywhere(tmp_path: Path) -> None:
    door = guard.Guard(Settings(host="0.0.0.0"), Tokens(tmp_path), own="s3cret")
    assert door.admit("/abierto/v1/status", {"authorization": "Bearer s3cret"}) == ""
    for other in ({}, {"authorization": "Bearer "}, {"authorization": "Bearer s3cre"}):
        with pytest.raises(TokenMissing):
            door.admit("/abierto/v1/status", other)
    with pytest.raises(TokenMissing):
        guard.Guard(Settings(host="0.0.0.0"), Tokens(tmp_path)).admit("/v1/models", {})


def test_a_token_is_known_until_it_is_removed(tmp_path: Path) -> None:
    """The folder is read anew by an object that has read it before, as that of a server has."""
    server, person = Tokens(tmp_path), Tokens(tmp_path)
    assert server.find("anything") is None
    keys = {name: person.add(name) for name in ("ana", "luis")}
    for name, key in keys.items():
        found = server.find(key)
        assert found
        assert found.name == name
    person.remove("ana")
    assert server.find(keys["ana"]) is None
    assert server.find(keys["luis"])


def test_no_secret_is_kept(tmp_path: Path) -> None:
    secret = Tokens(tmp_path).add("ana")
    [file] = (tmp_path / "tokens").iterdir()
    assert secret not in file.read_text("utf-8")
    assert secret.removeprefix(PREFIX) not in file.read_text("utf-8")
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_a_damaged_file_lets_nobody_in(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    secret = tokens.add("ana")
    [file] = (tmp_path / "tokens").iterdir()
    for damaged in (b"", b"{", b'{"name": 3}', b"\xff"):
        file.write_bytes(damaged)
        assert Tokens(tmp_path).find(secret) is None


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}], ids=str)
def test_a_server_refuses_strangers_in_the_words_of_its_dialect(server: Served, headers: dict[str, str]) -> None:
    with server.client() as client:
        answer = client.post(CHAT, json=SAYS, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["error"]["type"] == "permission_error"
        assert "access-control-allow-origin" not in answer.headers
        assert client.post(CHAT, json=SAYS).status_code == 200


@pytest.mark.parametrize("key", ["none", "ollama", "sk-0123456789"])
def test_on_loopback_any_key_that_is_not_of_our_form_passes(server: Served, key: str) -> None:
    with server.client(headers={"authorization": f"Bearer {key}"}) as client:
        assert client.post(CHAT, json=SAYS).status_code == 200


def test_on_loopback_a_token_that_is_no_more_is_refused(server: Served) -> None:
    with server.client() as client:
        for headers in ({"authorization": f"Bearer {PREFIX}old"}, {"x-api-key": f"{PREFIX}old"}):
            answer = client.post(CHAT, json=SAYS, headers=headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "token_missing"


@pytest.fixture(scope="module")
def reachable(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> tuple[Served, str]:
    """A server that listens on all addresses, and a token for it."""
    home = tmp_path_factory.mktemp("reachable")
    secret = Tokens(home / "data").add("ana")
    return serve("--host", "0.0.0.0", home=home, cors=PAGE), secret


def local(server: Served) -> Served:
    """The server under a name by which this computer reaches it."""
    return Served(server.address.replace("0.0.0.0", "127.0.0.1"), server.process, server.home)


def test_an_address_that_others_reach_needs_a_token(reachable: tuple[Served, str]) -> None:
    server, secret = reachable
    with local(server).client() as client:
        for headers in ({}, {"authorization": "Bearer none"}, {"x-api-key": secret[:-1]}):
            assert client.post(CHAT, json=SAYS, headers=headers).status_code == 401
        for headers in ({"authorization": f"Bearer {secret}"}, {"x-api-key": secret}):
            for name in ("127.0.0.1", "box.example:11435"):  # there, this computer has names that nobody told us
                assert client.post(CHAT, json=SAYS, headers={"host": name, **headers}).status_code == 200


def test_tokens_come_and_go_while_the_server_runs(reachable: tuple[Served, str]) -> None:
    server, _ = reachable
    tokens = Tokens(server.home / "data")
    for name in (f"guest{number}" for number in count(0)):
        secret = tokens.add(name, 1)
        with local(server).client(headers={"x-api-key": secret}) as client:
            assert client.post(CHAT, json=SAYS).status_code == 200
            refused = client.post(CHAT, json=SAYS)
            assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_requests")
            assert 1 <= int(refused.headers["retry-after"]) <= 60
            tokens.remove(name)
            assert client.post(CHAT, json=SAYS).status_code == 401
        if name == "guest2":
            break


def test_a_listed_page_may_ask_and_read(reachable: tuple[Served, str]) -> None:
    server, secret = reachable
    wish = {"access-control-request-method": "POST", "access-control-request-headers": "authorization, x-stainless-os"}
    with local(server).client(headers={"origin": PAGE}) as client:
        asked = client.options(CHAT, headers=wish)
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == PAGE
        assert asked.headers["access-control-allow-headers"] == wish["access-control-request-headers"]
        answer = client.post(CHAT, json=SAYS, headers={"x-api-key": secret})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, PAGE)
        # Without the header the page could not read why.
        assert client.post(CHAT, json=SAYS).headers["access-control-allow-origin"] == PAGE


def test_another_page_may_not_even_ask(reachable: tuple[Served, str]) -> None:
    server, secret = reachable
    with local(server).client(headers={"origin": "https://evil.example", "x-api-key": secret}) as client:
        for answer in (client.options(CHAT), client.post(CHAT, json=SAYS)):
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers
