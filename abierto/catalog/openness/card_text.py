"""Takes a model card apart: its YAML head, its sections, its links, whoever wrote it. It knows no components.

The head is refused as a whole when it uses YAML's references, with which a few lines can grow without end, or nests
deeper than any card does, which the parser in C does not survive.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from abierto.catalog.openness.evidence import Where

MAX_CARD = 2_000_000  # bytes; what follows is not read
MAX_HEAD = 200_000
MAX_DEPTH = 50  # of YAML's collections within each other
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
# What never goes on with the sentence of the line before.
_BEGINS = re.compile(r"\s*([-*+>|<#]|\d+[.)]\s)")
_FENCE = re.compile(r"\s*(```|~~~)")
_LINK = re.compile(r"\[(?P<label>[^\[\]]*)\]\(\s*<?(?P<url>https?://[^\s)>]+)|(?P<bare>https?://[^\s<>()\"'`\]}|]+)")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-ZÁÉÍÓÚÑ¿¡*\[])")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the card. path: its heading below those above it. first, last: its lines, the heading too, from 1.

    text: what it says itself, without its subsections and without program text. fences: blocks of program text.
    """

    path: tuple[str, ...]
    first: int
    last: int
    text: str
    fences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """An address in the card. sentence: the one it stands in, with its label. line: from 1."""

    url: str
    label: str
    sentence: str
    line: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CardText:
    """A card in parts. place: the file's path in the model's folder. head_lines: how many lines the head takes."""

    place: str
    head: Mapping[str, Any]
    head_lines: int
    sections: tuple[Section, ...]
    lines: tuple[str, ...]

    def links(self) -> Iterator[Link]:
        """Every address outside of program text, in order."""
        for section, number, line in self._prose():
            for sentence in _SENTENCE.split(line):
                for found in _LINK.finditer(sentence):
                    url = (found["url"] or found["bare"]).rstrip(".,;:*")
                    yield Link(url, found["label"] or "", sentence.strip(), number, section.path)

    def sentences(self) -> Iterator[tuple[str, int, tuple[str, ...]]]:
        """Every sentence outside of program text, with its line and the headings above it."""
        for section, number, line in self._prose():
            yield from ((sentence, number, section.path) for sentence in _SENTENCE.split(line) if sentence.strip())

    def where(self, section: Section, quote: str = "") -> Where:
        """A section as a place."""
        return Where(self.place, (section.first, section.last), " > ".join(section.path), shortened(quote))

    def at(self, line: int, path: tuple[str, ...], quote: str) -> Where:
        """A line as a place."""
        return Where(self.place, (line, line), " > ".join(path), shortened(quote))

    def in_head(self, key: str) -> Where:
        """Where a key of the head stands."""
        for number, line in enumerate(self.lines[: self.head_lines], 1):
            if re.match(rf"['\"]?{re.escape(key)}['\"]?\s*:", line):
                return Where(self.place, (number, number), quote=shortened(line))
        return Where(self.place)

    def _prose(self) -> Iterator[tuple[Section, int, str]]:
        """Every paragraph, list item and row outside of program text as one line, with the number of its first."""
        for section in self.sections:
            inside, begun = False, 0
            parts: list[str] = []
            for number in range(section.first, section.last + 1):
                line = self.lines[number - 1]
                fence = bool(_FENCE.match(line))
                if parts and (fence or inside or not line.strip() or _BEGINS.match(line)):
                    yield section, begun, " ".join(parts)
                    parts = []
                if not fence and not inside and line.strip():
                    begun = begun if parts else number
                    parts.append(line.strip())
                inside ^= fence
            if parts:
                yield section, begun, " ".join(parts)


def read(raw: bytes, place: str) -> CardText:
    """The card in a file's bytes. What cannot be read of it is left out; nothing is raised."""
    lines = tuple(raw[:MAX_CARD].decode("utf-8-sig", "replace").splitlines())
    head, length = _head(lines)
    return CardText(place, head, length, tuple(_sections(lines, length)), lines)


def shortened(quote: str) -> str:
    """A quotation in one line, cut after 200 characters."""
    line = " ".join(quote.split())
    return line if len(line) <= 200 else f"{line[:199]}…"


def is_bounded(text: str) -> bool:
    """Whether a YAML text has no references and is nested at most MAX_DEPTH deep. Raises yaml.YAMLError, ValueError."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or isinstance(event, yaml.AliasEvent):
            return False
    return True


def _head(lines: tuple[str, ...]) -> tuple[Mapping[str, Any], int]:
    if not lines or lines[0].strip() != "---":
        return {}, 0
    end = next((number for number, line in enumerate(lines[1:], 1) if line.strip() == "---"), 0)
    text = "\n".join(lines[1:end])
    if not end or len(text) > MAX_HEAD:
        return {}, end + 1 if end else 0
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if not is_bounded(text):
            return {}, end + 1
        body = yaml.load(text, Loader=loader)  # noqa: S506 - both are safe
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}, end + 1
    return (body if isinstance(body, dict) else {}), end + 1


def _sections(lines: tuple[str, ...], start: int) -> Iterator[Section]:
    path: tuple[tuple[int, str], ...] = ()
    first, inside = start + 1, False
    for number in range(start + 1, len(lines) + 1):
        line = lines[number - 1]
        if _FENCE.match(line):
            inside = not inside
        found = None if inside else _HEADING.match(line)
        if found:
            yield from _section(lines, path, first, number - 1)
            level = len(found[1])
            path = (*(one for one in path if one[0] < level), (level, re.sub(r"[*_`]", "", found[2])))
            first = number
    yield from _section(lines, path, first, len(lines))


def _section(lines: tuple[str, ...], path: tuple[tuple[int, str], ...], first: int, last: int) -> Iterator[Section]:
    if last < first or not (path or any(line.strip() for line in lines[first - 1 : last])):
        return
    prose: list[str] = []
    fences: list[list[str]] = []
    inside = False
    for line in lines[first - 1 + bool(path) : last]:
        if _FENCE.match(line):
            inside = not inside
            if inside:
                fences.append([])
        elif inside:
            fences[-1].append(line)
        else:
            prose.append(line)
    blocks = tuple("\n".join(block) for block in fences)
    yield Section(tuple(title for _, title in path), first, last, "\n".join(prose).strip(), blocks)
