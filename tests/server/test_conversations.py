"""Kept conversations over the API, which are those of the command line too."""

from typing import Any

import pytest

from abierto.journal import Journal
from tests.server.conftest import Served

TALK = {
    "title": "Lighthouses",
    "model": "echo",
    "messages": [{"role": "user", "content": "Where is the fog?"}],
    "tree": {"nodes": {"a": {"id": "a"}}, "leaf": "a"},
    "folder": "sea",
}


@pytest.fixture
def kept(server: Served) -> int:
    """The number of a conversation."""
    with server.client() as client:
        made = client.post("/abierto/v1/conversations", json=TALK)
    assert made.status_code == 201
    return int(made.json()["id"])


def get(server: Served, path: str = "") -> Any:
    """What the server tells."""
    with server.client() as client:
        return client.get(f"/abierto/v1/conversations{path}").json()


def test_what_was_kept_comes_back(server: Served, kept: int) -> None:
    found = get(server, f"/{kept}")
    assert {key: found[key] for key in TALK} == TALK
    [head] = [one for one in get(server)["conversations"] if one["id"] == kept]
    assert (head["title"], head["folder"]) == ("Lighthouses", "sea")
    assert "messages" not in head


def test_the_command_line_sees_the_same(server: Served, kept: int) -> None:
    found = Journal.at(server.home / "data").conversation(str(kept))
    assert found
    assert found.messages == TALK["messages"]


def test_what_is_left_out_stays(server: Served, kept: int) -> None:
    with server.client() as client:
        assert client.put(f"/abierto/v1/conversations/{kept}", json={"title": "Fog"}).json() == {"id": kept}
    found = get(server, f"/{kept}")
    assert (found["title"], found["messages"]) == ("Fog", TALK["messages"])
    with server.client() as client:
        client.put(f"/abierto/v1/conversations/{kept}", json={"folder": None})
    assert get(server, f"/{kept}")["folder"] is None


def test_words_are_searched_in_titles_and_messages(server: Served, kept: int) -> None:
    for words, found in (("FOG where", True), ("lighthouses", True), ("fog zebra", False)):
        ids = [one["id"] for one in get(server, f"?search={words}")["conversations"]]
        assert (kept in ids) is found, words


def test_a_forgotten_one_is_gone(server: Served, kept: int) -> None:
    with server.client() as client:
        assert client.delete(f"/abierto/v1/conversations/{kept}").json()["deleted"] is True
        for method in ("GET", "DELETE"):
            assert client.request(method, f"/abierto/v1/conversations/{kept}").status_code == 404
        assert client.put(f"/abierto/v1/conversations/{kept}", json={"title": "x"}).status_code == 404


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "9" * 30, "٣"])
def test_what_is_no_number_is_refused(server: Served, number: str) -> None:
    with server.client() as client:
        assert client.get(f"/abierto/v1/conversations/{number}").status_code == 400


def test_what_has_another_form_is_refused(server: Served) -> None:
    with server.client() as client:
        assert client.post("/abierto/v1/conversations", json={"messages": "words"}).status_code == 400


def test_the_catalogue_tells_what_fits(server: Served) -> None:
    with server.client() as client:
        cards = {one["name"]: one for one in client.get("/abierto/v1/catalogue").json()["cards"]}
    assert len(cards) > 120
    assert cards["qwen3:0.6b"]["fit"]["word"] in ("fits", "fits_context", "needs_more_free")
    assert cards["deepseek-r1:671b"]["fit"]["missing"] > 0
    assert cards["echo"]["built_in"] is True
