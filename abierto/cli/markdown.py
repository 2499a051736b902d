"""An answer as it is written: Markdown drawn in a terminal, plain text everywhere else.

Blocks that are closed are drawn once and stay; the open one at the end is redrawn in place. It knows nothing of models
or conversations. Whatever a model says, no escape sequence of it reaches a terminal.
"""

from threading import Thread
from time import perf_counter
from typing import TextIO

from abierto.cli.blocks import Blocks, CodeLine, Prose
from abierto.cli.draft import Draft, Line, encodable, harmless
from abierto.cli.rendering import Renderer
from abierto.locale import text as words

# Drawing takes at most this share of the time, however fast an answer comes.
DRAWING_SHARE = 0.05
# Letters of an open block that are drawn: more than a screen shows, and never so many that drawing takes long.
TAIL = 6000


class MarkdownStream:
    """Shows one answer on `file`. plain: a terminal gets it as it is written, not drawn.

    A pipe or a file gets the text unchanged, and no reasoning.
    """

    def __init__(self, file: TextIO, *, plain: bool = False) -> None:
        self._file = file
        self._terminal = file.isatty()
        self._blocks = Blocks()
        self._draft = Draft(file)
        self._made: Renderer | None = None
        self._maker: Thread | None = None
        if self._terminal and not plain:
            # What draws takes a tenth of a second to import; meanwhile the model reads the question.
            self._maker = Thread(target=self._make, daemon=True)
            self._maker.start()
        self._thinking = False
        self._in_code = False
        self._kept = False
        self._line_open = False
        self._ready = 0.0

    @property
    def _renderer(self) -> Renderer | None:
        if self._maker:
            self._maker.join()
            self._maker = None
        return self._made

    def _make(self) -> None:
        renderer = Renderer(self._file)
        self._made = renderer if renderer.can_redraw else None

    def status(self, line: str) -> None:
        """Show a line until the answer begins, where lines can be taken back."""
        renderer = self._renderer
        if renderer and not self._thinking:
            first = renderer.cells(harmless(line), self._draft.size()[0] - 1)[0]
            self._draft.write([], [Line(renderer.dim(first.text), first.width)])

    def think(self, text: str) -> None:
        """The next piece of what the model thinks before it answers."""
        if not self._terminal:
            return
        if not self._thinking:
            self._thinking = True
            self._draft.write([], [])
            self._write(self._faint(words("chat.thinking")) + "\n")
        self._write(self._faint(harmless(text)))

    def feed(self, text: str) -> None:
        """The next piece of the answer."""
        if not self._terminal:
            self._write(text)
            return
        self._end_thinking()
        text = harmless(text)
        renderer = self._renderer
        if renderer is None:
            self._write(text)
            return
        closed = self._blocks.feed(text)
        started = perf_counter()
        if closed or started >= self._ready:
            self._draw(renderer, closed, self._blocks.open)
            ended = perf_counter()
            self._ready = ended + (ended - started) * (1 / DRAWING_SHARE - 1)

    def close(self) -> None:
        """Draw what is left, and in a terminal end the line."""
        self._end_thinking()
        renderer = self._renderer
        if renderer:
            self._draw(renderer, self._blocks.close(), None)
        if self._line_open and self._terminal:
            self._write("\n")

    def _draw(self, renderer: Renderer, closed: list[Prose | CodeLine], rest: Prose | CodeLine | None) -> None:
        columns = self._draft.size()[0]
        kept = [line for block in closed for line in self._lines(renderer, block, columns)]
        draft: list[Line] = []
        if isinstance(rest, CodeLine):
            draft = renderer.cells(rest.text, columns) if rest.text else []
        elif rest and rest.source.strip():
            draft = renderer.prose(_tail(rest), columns)
            if self._kept and not rest.joined:
                draft.insert(0, Line("", 0))
        self._draft.write(kept, draft)

    def _lines(self, renderer: Renderer, block: Prose | CodeLine, columns: int) -> list[Line]:
        """The lines of a closed block, below an empty one where a new block begins."""
        if isinstance(block, CodeLine) and not block.edge:
            return [renderer.code(block.text, block.language)]
        if isinstance(block, CodeLine):
            begins = not self._in_code
            self._in_code = begins
            renderer.end_code()
            lines = [Line(renderer.dim(block.text), len(block.text))]
        else:
            begins, lines = not block.joined, renderer.prose(block, columns)
        gap = [Line("", 0)] if begins and self._kept and lines else []
        self._kept = self._kept or bool(lines)
        return gap + lines

    def _end_thinking(self) -> None:
        if self._thinking:
            self._thinking = False
            self._write("\n\n" if self._line_open else "\n")

    def _faint(self, text: str) -> str:
        renderer = self._renderer
        return renderer.dim(text) if renderer else text

    def _write(self, text: str) -> None:
        if text:
            self._file.write(encodable(text, self._file))
            self._file.flush()
            self._line_open = not text.endswith("\n")


def _tail(block: Prose) -> Prose:
    """The end of a block that is too long to be drawn again and again."""
    if len(block.source) <= TAIL:
        return block
    return Prose(block.source[-TAIL:].partition(" ")[2], None, block.joined)
