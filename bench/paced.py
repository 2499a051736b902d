"""A provider on this computer that speaks OpenAI's dialect and writes Markdown at an even speed."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle, islice
from threading import Event, Thread
from time import perf_counter
from typing import Any

TOKENS, PER_SECOND = 1700, 200
SAID = """## A heading of some words

Text with **weight**, *stress*, `code` and a [link](https://example.org), which goes on for a while so that lines break.

1. a list of things
2. with numbers

```python
def greet(name: str) -> str:
    return f"Hola, {name}"
```

| component | licence |
|---|---|
| weights | Apache-2.0 |

> What somebody said, in a few words.

"""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """The list of models."""
        self._whole({"object": "list", "data": [{"id": "even", "context_window": 32768}]})

    def do_POST(self) -> None:
        """An answer. Each token has its time, so that one that was late does not delay the others."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        began = perf_counter()
        for number, token in enumerate(islice(cycle(re.findall(r"\s*\S+|\s+", SAID)), TOKENS)):
            Event().wait(max(0.0, began + number / PER_SECOND - perf_counter()))
            self._piece({"choices": [{"index": 0, "delta": {"content": token}, "finish_reason": None}]})
        self._piece({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self._piece({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": TOKENS}})
        self.wfile.write(b"data: [DONE]\n\n")

    def _piece(self, body: Any) -> None:
        self.wfile.write(b"data: " + json.dumps(body).encode() + b"\n\n")

    def _whole(self, body: Any) -> None:
        packed = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(packed)))
        self.end_headers()
        self.wfile.write(packed)


@contextmanager
def paced() -> Iterator[str]:
    """The address of one that runs until the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
