"""The studio's files over HTTP: read once, compressed once, under a policy that lets nothing in from elsewhere.

Each file is a route of its own, so no path that a browser sends ever becomes a path on the disk. The page takes its
files from addresses that hold the hash of them all, so that a browser may keep them for ever and never mixes two
versions; they are at addresses without it too.
"""

import gzip
import hashlib
import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
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
FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
# The one script that a browser runs beside the page. It lies under the address of a version, and serves all pages.
WORKER = "worker.js"
# What a script cannot begin without: it says so in its first lines.
NEEDED = re.compile(r'(?:^|\bfrom|\bimport) ?"(\.[^"]+)"')
FILES = "files.json"
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
    """The page at `/`, its files under `/studio/` and under `/studio/VERSION/`, and its sentences in each language."""
    routes = [Route("GET", "/", _sender("index.html"), header=NAVIGATION)]
    for folder, more in (("/studio", {}), (f"/studio/{version()}", FOR_EVER)):
        routes += [Route("GET", f"{folder}/{name}", _sender(name, more)) for name in sorted(_files())]
        routes += [
            Route("GET", f"{folder}/words/{language}.json", _words_sender(language, more))
            for language in locale.LANGUAGES
        ]
        routes.append(Route("GET", f"{folder}/{FILES}", lambda call: _answer(call, *_shell(), JSON)))
    return Dialect("studio", tuple(routes), ("/studio",), error)


@cache
def version() -> str:
    """The hash of all that the page is made of."""
    made = hashlib.sha256()
    for name, file in sorted(_files().items()):
        made.update(f"{name}\0".encode() + file.read_bytes())
    for language in locale.LANGUAGES:
        made.update(json.dumps(words(language)).encode())
    return made.hexdigest()[:16]


def error(problem: AbiertoError, _status: int, sentences: str) -> Any:
    """The body of an error."""
    return {"error": {"code": problem.code, "message": sentences}}


def words(language: str) -> dict[str, str]:
    """The sentences of the page in a language, by their keys without what all begin with."""
    found = locale.sentences(language)
    return {key.removeprefix(WORDS): said for key, said in found.items() if key.startswith((WORDS, *REPORTS))}


def _sender(name: str, more: Mapping[str, str] = MappingProxyType({})) -> Callable[[Call], Reply]:
    suffix = "." + name.rpartition(".")[2] if "." in name.rpartition("/")[2] else ""
    if name == WORKER:
        more = {**more, "service-worker-allowed": "/"}
    return lambda call: _answer(call, *_contents(name), MEDIA_TYPES[suffix], more)


def _words_sender(language: str, more: Mapping[str, str]) -> Callable[[Call], Reply]:
    return lambda call: _answer(call, *_packed(json.dumps(words(language), ensure_ascii=False).encode()), JSON, more)


def _answer(
    call: Call, plain: bytes, packed: bytes, tag: str, media_type: str, more: Mapping[str, str] = MappingProxyType({})
) -> Reply:
    headers = {**HEADERS, "etag": tag, **more}
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
    plain = _files()[name].read_bytes()
    return _packed(_page(plain) if name == "index.html" else plain)


def _page(plain: bytes) -> bytes:
    """The page, with the addresses of this version; all scripts of the first view are asked for at once."""
    links = "\n".join(f'<link rel="modulepreload" href="/studio/{name}">' for name in sorted(early()))
    return plain.replace(b"</head>", f"{links}\n</head>".encode()).replace(
        b"/studio/", f"/studio/{version()}/".encode()
    )


@cache
def early() -> frozenset[str]:
    """The scripts that the first view is made of: the first one, and all that these import at once."""
    found, new = set(), {"main.js"}
    while new:
        found |= new
        texts = {name: _files()[name].read_text("utf-8") for name in new}
        asked = {posixpath.join(posixpath.dirname(name), path) for name in new for path in NEEDED.findall(texts[name])}
        new = {posixpath.normpath(path) for path in asked} - found
    return frozenset(found)


@cache
def _shell() -> tuple[bytes, bytes, str]:
    """The names of what the page needs to open without the server."""
    names = [name for name in sorted(_files()) if name.endswith((".html", ".js", ".css", ".svg")) and name != WORKER]
    names += [f"words/{language}.json" for language in locale.LANGUAGES]
    return _packed(json.dumps(names).encode())


def _packed(plain: bytes) -> tuple[bytes, bytes, str]:
    return plain, gzip.compress(plain, 9, mtime=0), f'"{hashlib.sha256(plain).hexdigest()[:16]}"'
