"""The processes that compute for a server are reachable by nobody else."""

import os
import stat
from pathlib import Path

import psutil
import pytest

from tests.server.conftest import Served

pytest.importorskip("xllamacpp")


def ask(server: Served, model: str) -> None:
    with server.client() as client:
        answer = client.post(
            "/v1/chat/completions",
            json={"model": model, "max_tokens": 4, "messages": [{"role": "user", "content": "hello"}]},
        )
    assert answer.status_code == 200


@pytest.fixture(scope="module")
def children(server: Served) -> list[psutil.Process]:
    """Those of a server that has one model in llama.cpp and one echo."""
    for model in ("says", "echo"):
        ask(server, model)
    found = server.children()
    assert len(found) >= 2
    return found


def test_no_child_listens_on_a_port(children: list[psutil.Process]) -> None:
    for child in children:
        assert child.net_connections("inet") == []


@pytest.mark.skipif(os.name != "posix", reason="the sockets of this system have no paths")
def test_the_sockets_of_children_lie_where_only_this_person_can_go(children: list[psutil.Process]) -> None:
    sockets = [Path(name) for child in children for one in child.net_connections("unix") if (name := str(one.laddr))]
    assert sockets, "llama.cpp is spoken to by a socket"
    for path in sockets:
        folder = path.parent.stat()
        assert stat.S_IMODE(folder.st_mode) == 0o700
        assert folder.st_uid == os.getuid()


def test_the_server_itself_listens_in_one_place(server: Served, children: list[psutil.Process]) -> None:
    found = psutil.Process(server.process.pid).net_connections("inet")
    [listener] = [one for one in found if one.status == psutil.CONN_LISTEN]
    assert listener.laddr.ip == "127.0.0.1"


def test_children_have_none_of_the_connections_of_clients(server: Served, children: list[psutil.Process]) -> None:
    """What a child inherits it could read, and would keep open."""
    with server.client() as client:
        client.get("/")
        for child in server.children():
            assert [one for one in child.net_connections("all") if one.family != 1] == []
