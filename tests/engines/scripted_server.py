"""A program that speaks llama-server's dialect and does what the last message says, without any model.

It plays the parts for which a real one would have to be ill: `fail`, `fail late`, `babble`, `drop`, `die`, and `think`.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any


class Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the class above
        sys.stderr.write(self.path + "\n")

    def do_GET(self) -> None:
        answers = {
            "/health": {"status": "ok"},
            "/props": {"default_generation_settings": {"n_ctx": 128}},
            "/v1/models": {"data": [{"meta": None}]},
        }
        self.answer(200, answers[self.path])

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/tokenize":
            self.answer(200, {"tokens": body["content"].split()})
            return
        order = body["messages"][-1]["content"]
        if self.path == "/apply-template":
            self.answer(200, {"prompt": f"user : {order}"})
            return
        if self.path != "/v1/chat/completions":  # as in a version that cannot count yet
            self.answer(404, {"error": {"code": 404, "message": "File Not Found"}})
            return
        if order == "fail":
            self.answer(500, {"error": {"code": 500, "type": "server_error", "message": "the sky fell"}})
        elif order == "too long":
            told = {"type": "exceed_context_size_error", "n_prompt_tokens": 999, "n_ctx": 128, "message": "long"}
            self.answer(400, {"error": told})
        else:
            self.stream(order)

    def stream(self, order: str) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.event({"choices": [{"finish_reason": None, "delta": {"role": "assistant", "content": None}}]})
        self.event({"choices": [{"finish_reason": None, "delta": {"reasoning_content": "hmm"}}]})
        self.chunk(b":\n\n")  # a sign of life
        self.event({"choices": [{"finish_reason": None, "delta": {"content": "yes"}}]})
        if order == "die":
            os._exit(3)
        if order == "fail late":
            self.event({"error": {"code": 500, "message": "the sky fell late"}})
        if order == "babble":
            self.chunk(b"data: {bla\n\n")
        if order == "drop":
            self.connection.close()
            return
        self.event({"choices": [{"finish_reason": "stop", "delta": {}}]})
        self.event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}})
        self.chunk(b"data: [DO")
        self.chunk(b"NE]\n\n")
        self.chunk(b"")
        self.close_connection = True

    def event(self, body: object) -> None:
        self.chunk(b"data: " + json.dumps(body).encode() + b"\n\n")

    def chunk(self, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.flush()

    def answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    with Server(sys.argv[sys.argv.index("--host") + 1], Handler) as server:
        server.serve_forever()
