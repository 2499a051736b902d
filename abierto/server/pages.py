"""The studio's files over HTTP: read once, compressed once, under a policy that lets nothing in from elsewhere.

Each file is a route of its own, so no path that a browser sends ever becomes a path on the disk.
"""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from abierto import locale
from abierto.errors import AbiertoError
from abierto.server.exchange import JSON, Call, Dialect, Reply, Route

WORDS = "studio."  # what the sentences of the page begin with
# What reports are made of; the page shows them as it gets them.
REPORTS = ("openness.component.", "openness.freedom.", "openness.osi.", "openness.outcome.")
# Scripts, styles, pictures and answers from this server alone; no inline script, no frame around it, no form that leads
# away. What a person attaches is shown as data and blob.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
    "vary": "accept-encoding",
}
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".json": JSON,
    ".md": "text/plain; charset=utf-8",
    "": "text/plain; charset=utf-8",
}
# Only browsers that open a page send it; clients of Ollama ask for the same address, and expect its own answer.
NAVIGATION = "upgrade-insecure-requests"


def dialect() -> Dialect:
    """The page at `/`, its files under `/studio/`, and its sentences in each language."""
    routes = [Route("GET", "/", _sender("index.html"), header=NAVIGATION)]
    routes += [Route("GET", f"/studio/{name}", _sender(name)) for name in sorted(_files())]
    routes += [Route("GET", f"/studio/words/{language}.json", _words_sender(language)) for language in locale.LANGUAGES]
    return Dialect("studio", tuple(routes), ("/studio",), error)


def error(problem: AbiertoError, _status: int, sentences: str) -> Any:
    """The body of an error."""
    return {"error": {"code": problem.code, "message": sentences}}


def words(language: str) -> dict[str, str]:
    """The sentences of the page in a language, by their keys without what all begin with."""
    found = locale.sentences(language)
    return {key.removeprefix(WORDS): said for key, said in found.items() if key.startswith((WORDS, *REPORTS))}


def _sender(name: str) -> Callable[[Call], Reply]:
    suffix = "." + name.rpartition(".")[2] if "." in name.rpartition("/")[2] else ""
    return lambda call: _answer(call, *_contents(name), MEDIA_TYPES[suffix])


def _words_sender(language: str) -> Callable[[Call], Reply]:
    return lambda call: _answer(call, *_packed(json.dumps(words(language), ensure_ascii=False).encode()), JSON)


def _answer(call: Call, plain: bytes, packed: bytes, tag: str, media_type: str) -> Reply:
    headers = {**HEADERS, "etag": tag}
    if call.headers.get("if-none-match") == tag:
        return Reply(b"", 304, headers, media_type)
    if "gzip" in call.headers.get("accept-encoding", ""):
        return Reply(packed, 200, {**headers, "content-encoding": "gzip"}, media_type)
    return Reply(plain, 200, headers, media_type)


@cache
def _files() -> dict[str, Traversable]:
    """The files by their paths from the folder of the studio."""
    return dict(_under(resources.files("abierto.server") / "studio", ""))


def _under(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _under(entry, f"{prefix}{entry.name}/")
        elif not entry.name.endswith(".d.ts"):  # types of the libraries are for the check, not for a browser
            yield f"{prefix}{entry.name}", entry


@cache
def _contents(name: str) -> tuple[bytes, bytes, str]:
    return _packed(_files()[name].read_bytes())


def _packed(plain: bytes) -> tuple[bytes, bytes, str]:
    return plain, gzip.compress(plain, 9, mtime=0), f'"{hashlib.sha256(plain).hexdigest()[:16]}"'
