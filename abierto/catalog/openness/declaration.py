"""What the makers of a model declare of its components in its folder, in the YAML form of the framework's tool.

`mof.yaml` names for each component the place where it is, and its own licence. A place that is there is evidence; one
that is not, or that holds something else, is told and shows nothing. What a release states for all its components
together is not read, since here nothing inherits. Every value is taken as text, whatever type YAML sees in it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from abierto.catalog.openness import file_rules, terms
from abierto.catalog.openness.card_text import is_bounded, shortened
from abierto.catalog.openness.evidence import (
    BY_NAME,
    DECLARED_FILE,
    DECLARED_LINK,
    Component,
    Refused,
    Said,
    Seen,
    Where,
)
from abierto.catalog.openness.file_rules import Listing

FILES = ("mof.yaml", "mof.yml")
MAX_FILE = 200_000  # bytes
MOST = 40  # entries; the framework has 17 components
_FRAMEWORK = "Model Openness Framework"
# Keys of a release that say who made it, which version and when -> ours.
_IDENTITY = (("producer", "publisher"), ("version", "version"), ("date", "released"))
_PROGRAMS = (".py", ".sh", ".ipynb", ".c", ".cc", ".cpp", ".cu", ".h", ".hpp", ".rs", ".js", ".ts", ".java", ".jl",
             ".go", ".swift", ".r", ".lua")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Declared:
    """seen: one for each component whose place is there. stated: the licences that are declared for the weights, each
    with its place. refused: what shows nothing, and why. identity: who made the model, by the keys of `identity`."""

    seen: tuple[Seen, ...] = ()
    stated: tuple[Said, ...] = ()
    refused: tuple[Refused, ...] = ()
    identity: tuple[tuple[str, Said], ...] = ()


@dataclass
class _Reading:
    seen: list[Seen] = field(default_factory=list)
    stated: list[Said] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One component as it is declared. span: its lines in the file."""

    name: str
    location: str
    license: str | None
    license_path: str
    description: str
    span: str

    def refused(self, code: str, location: str = "") -> Refused:
        return Refused(code, shortened(self.name), self.span, shortened(location or self.location))


def read(here: Listing) -> Declared:
    """What the declaration in a folder says and what of it the folder bears out; nothing where there is none."""
    file = next((path for name in FILES if (path := here.named(name))), None)
    if file is None:
        return Declared()
    place = file.as_posix()
    release = _release(here.root / file)
    if release is None:
        return Declared(refused=(Refused("unreadable", "", place, ""),))
    found = _Reading()
    for entry in _entries(release, place):
        _judge(here, entry, found)
    said = ((ours, _text(release, key)) for key, ours in _IDENTITY)
    identity = tuple((key, Said(shortened(value), Where(place, section=key))) for key, value in said if value)
    return Declared(tuple(found.seen), tuple(found.stated), tuple(found.refused), identity)


def _judge(here: Listing, entry: _Entry, found: _Reading) -> None:
    component = BY_NAME.get(entry.name)
    if component is None:
        found.refused.append(entry.refused("unknown_component"))
        return
    where = Where(entry.location, section=entry.span, quote=entry.description)
    if _is_address(entry.location):
        found.seen.append(Seen(component.key, where, DECLARED_LINK, license=_own(component, entry.license)))
        return
    files = _files_at(here, entry.location)
    if not files or not any(file_rules.holds_something(here.root / file) for file in files):
        found.refused.append(entry.refused("not_there"))
    elif not _is_of_kind(here.root, files, component):
        found.refused.append(entry.refused("other_kind"))
    else:
        license_ = _with_own_lines(here.root, files, component, entry.license)
        found.seen.append(Seen(component.key, where, DECLARED_FILE, license=_own(component, license_), file=True))
        if component.key == "weights" and license_:
            found.stated.append(Said(license_, Where(entry.span, quote=shortened(f"license: {license_}"))))
    if entry.license_path and not _is_address(entry.license_path) and not _files_at(here, entry.license_path):
        found.refused.append(entry.refused("license_not_there", entry.license_path))


def _own(component: Component, license_: str | None) -> str | None:
    """That of the weights is compared with what other places state for the model."""
    return None if component.key == "weights" else license_


def _files_at(here: Listing, location: str) -> list[Path]:
    """The files at a place of the folder or below it; none for a place outside, or one that a link leads out to."""
    path = PurePosixPath(location)
    if not location or path.is_absolute() or ".." in path.parts or set(location) & {"\\", ":", "\0"}:
        return []
    listed = ((file, PurePosixPath(file.as_posix())) for file in here.files)
    return [file for file, name in listed if name == path or path in name.parents]


def _is_of_kind(root: Path, files: list[Path], component: Component) -> bool:
    """Whether there is a file of weights for weights, program text for code; of other kinds any file will do."""
    if component.key == "weights":
        return any(file_rules.weights_format(root / file) for file in files)
    if component.kind == "code" and component.key != "libraries":
        return any(file.suffix.lower() in _PROGRAMS for file in files)
    return True


def _with_own_lines(root: Path, files: list[Path], component: Component, license_: str | None) -> str | None:
    """What is declared, and with it what program texts at that place state for themselves: all of it applies."""
    if component.kind != "code" or license_ is None:
        return license_
    texts = (root / file for file in files if file.suffix.lower() in _PROGRAMS)
    own = {terms.identifier(line) for text in texts if (line := file_rules.own_license(text))}
    return " AND ".join([license_, *sorted(own - {license_, *re.split(r" AND ", license_)})])


def _is_address(location: str) -> bool:
    try:
        parts = urlsplit(location)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname)


def _release(path: Path) -> Any:
    """The node of the release, or None for what is no declaration, uses YAML's references or is nested without end."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
        text = raw.decode("utf-8-sig")
        if len(raw) > MAX_FILE or not is_bounded(text):
            return None
        body = yaml.compose(text, Loader=loader)
    except (OSError, yaml.YAMLError, ValueError, RecursionError):
        return None
    release = _value(body, "release")
    named = _text(_value(body, "framework"), "name") == _FRAMEWORK
    return release if named and isinstance(release, yaml.MappingNode) else None


def _entries(release: Any, place: str) -> Iterator[_Entry]:
    import yaml

    components = _value(release, "components")
    listed = components.value if isinstance(components, yaml.SequenceNode) else []
    for node in listed[:MOST]:
        license_ = _text(node, "license")
        yield _Entry(
            _text(node, "name"),
            _text(node, "component_path"),
            None if license_ in ("", terms.UNLICENSED) else terms.identifier(shortened(license_)),
            _text(node, "license_path"),
            shortened(_text(node, "description")),
            f"{place}:{_lines(node)}",
        )


def _lines(node: Any) -> str:
    """The first and the last line of a node, from 1. The end of a mapping is where the next thing begins."""
    import yaml

    inside = node.value[-1][1] if isinstance(node, yaml.MappingNode) and node.value else node
    first, end = node.start_mark.line + 1, inside.end_mark
    return f"{first}-{max(first, end.line + (end.column > 0))}"


def _value(node: Any, key: str) -> Any:
    import yaml

    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if isinstance(name, yaml.ScalarNode) and name.value == key), None)


def _text(node: Any, key: str) -> str:
    import yaml

    found = _value(node, key)
    plain = isinstance(found, yaml.ScalarNode) and found.tag != "tag:yaml.org,2002:null"
    return str(found.value).strip() if plain else ""
