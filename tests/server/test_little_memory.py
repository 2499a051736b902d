"""A model whose usual context does not get its memory is loaded with half of it, and whoever asks is told."""

import sys
from pathlib import Path

import pytest

from tests.server.conftest import Serve
from tests.tiny_gguf import TinyGGUF

# A cache of 1 GiB at the whole context. It is more than the system grants, half of it is not.
CONTEXT, LAYERS = 131_072, 32
GRANTED = 1200 * 2**20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process so")


def test_half_the_context_where_the_whole_one_does_not_fit(serve: Serve, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    import resource

    model = TinyGGUF(says="abc", context=CONTEXT, layers=LAYERS, heads_kv=4)
    model.write(tmp_path / "long.gguf")
    server = serve(folders=tmp_path, context=CONTEXT, users=1, threads=1, engine="llamacpp")
    # The children that it will start take their limit from it.
    resource.prlimit(server.process.pid, resource.RLIMIT_DATA, (GRANTED, GRANTED))
    body = {"model": "long", "messages": [{"role": "user", "content": "Hi"}]}
    with server.client() as client:
        answer = client.post("/v1/chat/completions", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["choices"][0]["message"]["content"] == "abc"
        assert answer.headers["x-abierto-context"] == str(CONTEXT // 2)
        assert "65,536" in answer.headers["x-abierto-notice"]
        [resident] = client.get("/abierto/v1/status").json()["residents"]
    assert resident["context"] == CONTEXT // 2
    assert "65,536" in resident["notice"]
