"""Draws Markdown and code as lines for a terminal, with rich. It knows nothing of streams or of redrawing."""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, TextIO

from abierto.cli.blocks import Prose, parser
from abierto.cli.draft import Line, harmless

if TYPE_CHECKING:
    from markdown_it.token import Token

# Longer lines are hard to read.
WIDEST = 100
# Code before a line that its colours may depend on.
CODE_BEFORE = 80
_STYLES = {
    "markdown.h1": "bold underline",
    "markdown.h2": "bold",
    "markdown.h3": "bold",
    "markdown.h4": "italic",
    "markdown.code": "bold cyan",
    "markdown.block_quote": "none",
    "markdown.item.bullet": "bold",
    "markdown.item.number": "bold",
    "markdown.table.border": "dim",
    "markdown.table.header": "bold",
}


class Renderer:
    """Draws for one terminal. can_redraw: it understands the codes that move the cursor."""

    def __init__(self, file: TextIO) -> None:
        from rich.console import Console
        from rich.theme import Theme

        options = {"force_terminal": True, "highlight": False, "markup": False, "emoji": False}
        self._console = Console(file=file, theme=Theme(_STYLES), **options)  # type: ignore[arg-type]
        self.can_redraw = not (self._console.legacy_windows or self._console.is_dumb_terminal)
        self._code: list[str] = []
        # Imported now, not when the first piece of an answer waits to be shown.
        self._markdown = _markdown_class()
        parser()

    def prose(self, block: Prose, columns: int) -> list[Line]:
        """The lines of a piece of Markdown. Each is at most `columns` wide."""
        tokens = list(_simple(parser().parse(block.source)))
        if block.number is not None and tokens and tokens[0].type == "ordered_list_open":
            tokens[0].attrs["start"] = block.number
        made = self._markdown("", code_theme=_code_theme(), hyperlinks=False)
        made.parsed = tokens
        width = max(4, min(columns, WIDEST))
        lines = self._console.render_lines(made, self._console.options.update(width=width), pad=False)
        drawn = [self._line(line) for line in lines]
        while drawn and not drawn[-1].width:
            drawn.pop()
        while drawn and not drawn[0].width:
            drawn.pop(0)
        return drawn

    def code(self, line: str, language: str) -> Line:
        """The next line of a block of code, in colours. The terminal breaks it: so it can be copied whole."""
        from rich.syntax import Syntax

        self._code = [*self._code[-CODE_BEFORE:], line]
        if not line.strip():
            return Line(line, 0)
        coloured = Syntax("", language or "text", theme=_code_theme()).highlight("\n".join(self._code))
        last = coloured.split("\n", allow_blank=False)[-1]
        return self._line(last.render(self._console))

    def end_code(self) -> None:
        """What follows is another block of code."""
        self._code = []

    def dim(self, text: str) -> str:
        """The text in faint letters."""
        return f"\x1b[2m{text}\x1b[22m"

    def cells(self, text: str, columns: int) -> list[Line]:
        """A line of plain text, broken at exactly so many columns."""
        from rich.cells import cell_len, chop_cells

        parts = chop_cells(text.expandtabs(8), max(2, columns)) or [""]
        return [Line(part, cell_len(part)) for part in parts]

    def _line(self, segments: Iterable[Any]) -> Line:
        from rich.segment import Segment, Segments

        # Once more: what the parser made of the text may hold what the text did not.
        kept = [Segment(harmless(part.text).replace("\n", ""), part.style) for part in segments if not part.control]
        while kept and not kept[-1].text.strip():
            kept.pop()
        if kept:
            kept[-1] = Segment(kept[-1].text.rstrip(), kept[-1].style)
        with self._console.capture() as drawn:
            self._console.print(Segments(kept), end="", crop=False, soft_wrap=True)
        return Line(drawn.get(), Segment.get_line_length(kept))


@cache
def _markdown_class() -> Any:
    from rich.markdown import Heading, Markdown

    class LeftHeading(Heading):
        LEVEL_ALIGN = {}  # noqa: RUF012 - as rich declares it

    class Answer(Markdown):
        elements = {**Markdown.elements, "heading_open": LeftHeading}  # noqa: RUF012 - as rich declares it

    return Answer


@cache
def _code_theme() -> Any:
    """The terminal's own colours on its own background, chosen to be read on dark and on light ones."""
    from pygments.token import Comment, Keyword, Name, Number, String  # type: ignore[import-untyped]
    from rich.style import Style
    from rich.syntax import ANSISyntaxTheme

    return ANSISyntaxTheme(
        {
            Comment: Style(dim=True, italic=True),
            Keyword: Style(color="magenta"),
            Name.Class: Style(bold=True),
            Name.Function: Style(bold=True),
            Name.Tag: Style(color="magenta"),
            Number: Style(color="cyan"),
            String: Style(color="green"),
        }
    )


def _simple(tokens: "Iterable[Token]") -> "Iterable[Token]":
    """The tokens with line ends kept, and links and images as text with the address behind it."""
    from markdown_it.token import Token

    address: list[tuple[str, int]] = []
    said = ""
    for token in tokens:
        if token.children and token.type != "image":
            token.children = list(_simple(token.children))
        if token.type == "softbreak":
            yield Token("hardbreak", "br", 0)
        elif token.type == "link_open":
            address.append((str(token.attrs.get("href", "")), len(said)))
        elif token.type == "link_close":
            href, start = address.pop()
            if said[start:] not in (href, href.removeprefix("mailto:")):
                yield Token("text", "", 0, content=f" ({href})")
        elif token.type == "image":
            yield Token("text", "", 0, content=f"{token.content} ({token.attrs.get('src', '')})")
        else:
            said += token.content
            yield token
