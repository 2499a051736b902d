"""ps, stop, and a second serve: what a person sees of the running server; and models that are used where they are."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from abierto.errors import EngineCrashed
from abierto.runtime import model as models
from abierto.runtime import serving
from abierto.tasks.chat import ChatRequest, Message, Sampling
from abierto.tasks.events import Text
from tests.cli.conftest import Abierto, Result
from tests.server import conftest as servers
from tests.server.conftest import Serve, Served
from tests.server.test_administration import residents, until
from tests.tiny_gguf import TinyGGUF

serve = servers.serve
LONG = ChatRequest((Message("user", "go on"),), Sampling(max_tokens=4000))


@pytest.fixture(scope="module")
def served(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A server in whose home two models were taken in where they lie: one says three words, the other goes on."""
    folder, home = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("served")
    TinyGGUF(says="Hé 你🙂.", context=1024, dtype="f16").write(folder / "tiny.gguf")
    TinyGGUF(says="abc", ends=False, context=8192, dtype="f16").write(folder / "long.gguf")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ABIERTO_HOME", str(home))
        from abierto.runtime.wanted import bring, wanted

        for name in ("tiny", "long"):
            for _ in bring(wanted(f"file:{folder / name}.gguf"), lambda **_: None):
                pass
    return serve(home=home)


@pytest.fixture
def there(served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The server, and its home for this test and all that it starts."""
    monkeypatch.setenv("ABIERTO_HOME", str(served.home))
    return served


def written(served: Served, name: str) -> int:
    """The tokens that a model of the server has written."""
    with served.client() as client:
        lines = client.get("/metrics").text.splitlines()
    found = [line for line in lines if line.startswith(f'abierto_completion_tokens_total{{model="{name}"}}')]
    return int(found[0].rsplit(" ", 1)[1]) if found else 0


def newest_run(served: Served) -> int:
    """The number of the newest run in the journal, 0 without one."""
    with served.client() as client:
        entries = client.get("/abierto/v1/journal", params={"limit": "1"}).json()["entries"]
    return int(entries[0]["id"]) if entries else 0


def test_without_a_server_it_is_said_how_to_start_one(abierto: Abierto) -> None:
    for done in (abierto("ps"), abierto("stop", "echo"), abierto("stop", "--server")):
        assert done.status == 3
        assert "abierto serve" in done.err


def test_what_is_loaded_is_shown(there: Served, abierto: Abierto) -> None:
    with there.client() as client:
        client.post("/abierto/v1/models/load", json={"model": "tiny"})
        process = str(residents(client)["tiny"]["process_id"])
    [row] = [line for line in abierto("ps").out.splitlines() if line.startswith("tiny\t")]
    name, shown, estimate, memory, context, users, _speed, left = row.split("\t")
    assert (name, shown, context) == ("tiny", process, "1,024")
    assert estimate.endswith("B")
    assert memory.endswith("MB")
    assert users.startswith("0 of ")
    assert left.startswith(("4 min", "5 min"))
    told = json.loads(abierto("ps", "--json").out)
    assert "tiny" in [one["model"] for one in told["residents"]]
    assert told["process_id"] == there.process.pid


def test_a_loaded_model_is_used_and_not_loaded_twice(there: Served, abierto: Abierto) -> None:
    with there.client() as client:
        client.post("/abierto/v1/models/load", json={"model": "tiny"})
    before, runs = written(there, "tiny"), newest_run(there)
    done = abierto("chat", "-m", "tiny", "hola")
    assert (done.status, done.out.strip()) == (0, "Hé 你🙂."), done.err
    assert written(there, "tiny") > before
    assert newest_run(there) == runs + 1  # once, though two processes saw it


def test_what_only_this_process_can_do_is_done_here(there: Served, abierto: Abierto) -> None:
    with there.client() as client:
        client.post("/abierto/v1/models/load", json={"model": "tiny"})
    before = written(there, "tiny")
    done = abierto("chat", "-m", "tiny", "--context", "256", "hola")
    assert (done.status, done.out.strip()) == (0, "Hé 你🙂."), done.err
    assert written(there, "tiny") == before


def test_a_model_in_use_is_not_removed_and_a_stopped_one_says_why(there: Served, abierto: Abierto) -> None:
    with there.client() as client:
        client.post("/abierto/v1/models/load", json={"model": "tiny"})
        refused = abierto("remove", "tiny", "--yes")
        assert refused.status == 7
        assert abierto("stop", "tiny").status == 0
        until(lambda: "tiny" not in residents(client))
    assert "on request" in abierto("ps").err
    nobody = abierto("stop", "nobody")
    assert nobody.status == 3
    assert "nobody is not loaded" in nobody.err


def test_closing_an_answer_frees_its_place_at_the_server(there: Served) -> None:
    with there.client() as client:
        client.post("/abierto/v1/models/load", json={"model": "long"})
        with models.load("long") as model:
            assert model.pid == residents(client)["long"]["process_id"]
            assert model.memory() > 0
            assert model.count_tokens(LONG) > 0
            answer = model.run(LONG)
            assert next(event for event in answer if isinstance(event, Text)).text
            assert residents(client)["long"]["users"] == 1
            closing = threading.Thread(target=answer.close)  # as from a person's Ctrl-C in another thread
            closing.start()
            closing.join()
            until(lambda: residents(client)["long"]["users"] == 0)


def test_a_second_server_says_where_the_first_one_is(there: Served, abierto: Abierto) -> None:
    done = abierto("serve", "--port", "0")
    assert done.status == 7
    assert there.address in done.err


def test_stop_needs_to_know_what(there: Served, abierto: Abierto) -> None:
    for arguments in ((), ("echo", "--server")):
        done = abierto("stop", *arguments)
        assert done.status == 2
        assert "--server" in done.err


def test_a_server_that_was_killed_is_not_taken_for_a_running_one(serve: Serve, abierto: Abierto, home: Path) -> None:
    served = serve(home=home)
    with served.client() as client:
        client.post("/abierto/v1/models/load", json={"model": "echo"})
    model = models.load("echo")
    assert model.recorded  # it is at the server
    answer = model.run(ChatRequest((Message("user", "x " * 10),)))
    served.process.kill()
    served.process.wait()
    with pytest.raises(EngineCrashed):
        list(answer)
    model.close()
    assert (home / "data" / serving.FILE_NAME).exists()
    assert abierto("ps").status == 3
    again = serve(home=home)
    assert abierto("ps").status == 0
    done = abierto("stop", "--server")
    assert (done.status, again.process.wait(servers.PATIENCE)) == (0, 0), done.err
    assert abierto("ps").status == 3


class _Impostor(BaseHTTPRequestHandler):
    """Somebody else who listens where a server was, and answers as it would."""

    seen: list[str]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        self.seen += [self.path, *self.headers.values()]
        body = json.dumps({"proof": "0" * 64, "residents": [], "version": "0"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def impostor() -> Iterator[tuple[str, list[str]]]:
    """Its address, and all that it sees."""
    seen: list[str] = []
    listening = HTTPServer(("127.0.0.1", 0), type("Impostor", (_Impostor,), {"seen": seen}))
    threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_address[1]}", seen
    listening.shutdown()
    listening.server_close()


def test_who_cannot_prove_to_be_the_server_sees_neither_key_nor_prompt(
    impostor: tuple[str, list[str]], abierto: Abierto, home: Path
) -> None:
    address, seen = impostor
    (home / "data").mkdir(parents=True)
    told = {"address": address, "pid": os.getpid(), "key": "the-secret-key"}
    (home / "data" / serving.FILE_NAME).write_text(json.dumps(told))
    assert abierto("ps").status == 3
    done: Result = abierto("chat", "-m", "echo", "a private word")
    assert (done.status, done.out.strip()) == (0, "a private word")
    assert len([one for one in seen if "/abierto/v1/identity" in one]) == 2
    assert not [one for one in seen if "the-secret-key" in one or "private" in one or "/run" in one]


def test_why_a_model_is_not_there_is_told_in_the_language_of_who_looks(
    there: Served, abierto: Abierto, monkeypatch: pytest.MonkeyPatch
) -> None:
    with there.client() as client:
        assert client.post("/abierto/v1/models/load", json={"model": "never-seen"}).status_code == 404
    monkeypatch.setenv("ABIERTO_LANGUAGE", "es")
    told = abierto("ps").err
    assert "No hay ningún modelo llamado never-seen" in " ".join(told.split())
    assert "There is no model" not in told
