"""Cuts Markdown into blocks while it arrives: what can no longer change, and the rest that is still open.

A block that another one follows never changes again (CommonMark is defined line by line), so it can be drawn for
good. The items of a list count as blocks, and so do the lines of fenced code. It knows nothing of drawing.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown that is no fenced code. number: that of the first item, when it goes on with an ordered list.

    joined: it belongs to the list above.
    """

    source: str
    number: int | None = None
    joined: bool = False


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A line of fenced code, or (edge) the fence itself."""

    text: str
    language: str = ""
    edge: bool = False


@dataclass(frozen=True, slots=True)
class _Fence:
    language: str
    indent: int
    closing: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Piece:
    """Where a block begins, with what `Prose` says of it."""

    first: int
    number: int | None = None
    joined: bool = False
    fence: "Token | None" = None


_LISTS = ("ordered_list_open", "bullet_list_open")


@cache
def parser() -> "MarkdownIt":
    """Markdown with tables, in which HTML and entities are just text: nothing of an answer disappears."""
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").enable("table")
    return made.disable("entity").disable("reference")


class Blocks:
    """Feed it pieces of an answer; it returns the blocks that are closed. `open` is the rest."""

    def __init__(self) -> None:
        self._source = ""
        self._fence: _Fence | None = None
        self._number: int | None = None
        self._joined = False

    @property
    def open(self) -> Prose | CodeLine:
        """What has arrived and may still change."""
        if self._fence:
            return CodeLine(_dedent(self._source, self._fence.indent), self._fence.language)
        return Prose(self._source, self._number, self._joined)

    def feed(self, text: str) -> list[Prose | CodeLine]:
        """The blocks that this piece of text closes."""
        self._source += text
        if "\n" not in text:
            return []
        closed: list[Prose | CodeLine] = []
        while True:
            found = self._from_fence() if self._fence else self._from_prose()
            closed += found
            if not found:
                return closed

    def close(self) -> list[Prose | CodeLine]:
        """The blocks that are left when nothing more comes."""
        closed = self.feed("" if self._source.endswith("\n") or not self._source else "\n")
        rest, self._source = self.open, ""
        return closed if isinstance(rest, CodeLine) or not rest.source.strip() else [*closed, rest]

    def _from_fence(self) -> list[Prose | CodeLine]:
        assert self._fence
        line, newline, rest = self._source.partition("\n")
        if not newline:
            return []
        self._source = rest
        if self._fence.closing.fullmatch(line):
            self._fence = None
            return [CodeLine(line.strip(), edge=True)]
        return [CodeLine(_dedent(line, self._fence.indent), self._fence.language)]

    def _from_prose(self) -> list[Prose | CodeLine]:
        # A line that is not whole says nothing yet: "#" may become a heading or "#tag".
        lines = self._source.split("\n")[:-1]
        pieces = self._pieces(parser().parse("".join(f"{line}\n" for line in lines)))
        fenced = next((place for place, piece in enumerate(pieces) if piece.fence), None)
        last = max(0, len(pieces) - 1) if fenced is None else fenced
        if not last and fenced is None:
            return []
        ends = [piece.first for piece in pieces[1:]]
        closed: list[Prose | CodeLine] = [
            Prose("".join(f"{line}\n" for line in lines[piece.first : end]), piece.number, piece.joined)
            for piece, end in zip(pieces[:last], ends, strict=False)
        ]
        rest = pieces[last]
        self._number, self._joined = rest.number, rest.joined
        if rest.fence:
            closed.append(self._enter(rest.fence, lines[rest.first]))
        self._source = self._source.split("\n", rest.first + bool(rest.fence))[-1]
        return closed

    def _pieces(self, tokens: "list[Token]") -> list[_Piece]:
        """The blocks, and in place of a list its items. The first one may go on with a list."""
        pieces: list[_Piece] = []
        number, joined = self._number, self._joined
        for token in tokens:
            if token.map is None or token.nesting < 0:
                continue
            first = token.map[0]
            if token.level == 0 and token.type in _LISTS:
                number = int(token.attrs.get("start", 1)) if token.type == _LISTS[0] else None
                number, joined = (number, False) if pieces else (self._number or number, self._joined)
            elif token.level == 1 and token.type == "list_item_open":
                pieces.append(_Piece(first, number, joined))
                number, joined = None if number is None else number + 1, True
            elif token.level == 0:
                pieces.append(_Piece(first, fence=token if token.type == "fence" else None))
        return pieces

    def _enter(self, fence: "Token", opening: str) -> CodeLine:
        """Begin fenced code; what follows is told line by line."""
        closing = re.compile(rf" {{0,3}}{re.escape(fence.markup[0])}{{{len(fence.markup)},}}[ \t]*")
        language = fence.info.split()[0] if fence.info.strip() else ""
        self._fence = _Fence(language, len(opening) - len(opening.lstrip(" ")), closing)
        return CodeLine(opening.strip(), edge=True)


def _dedent(line: str, indent: int) -> str:
    return line[min(indent, len(line) - len(line.lstrip(" "))) :]
