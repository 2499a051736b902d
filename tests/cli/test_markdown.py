"""Answers in a terminal: whatever the pieces, the size and the model, the screen ends up as it should."""

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abierto.cli.blocks import Blocks, CodeLine, Prose
from abierto.cli.markdown import MarkdownStream
from tests.cli.terminal import Screen, flat, own_terminal, set_size

SAMPLE = """# A heading with *emphasis*

A paragraph with **bold**, `code`, a [link](https://example.org/a?b=c) and <https://example.org>, long enough
to be broken by the renderer. 你好 🙂 and <b>no html</b> &lt; x
A second line.

- one
- two with `x`
  - nested

    more in the nested one
- three

9. nine
1. ten

   ```sh
   ls -l
   ```
1. eleven

> a quote
> of two lines

```python
def f(x):
    '''doc'''

    return x + 1  # and a comment that makes this line longer than most terminals are wide, so that it is broken
```
~~~
plain
~~~
| name | number |
|------|-------:|
| a    | 1      |
| b    | 22     |

#tag is no heading

Setext
======

The end"""

SHOWN = """A heading with emphasis

A paragraph with bold, code, a link (https://example.org/a?b=c) and
https://example.org, long enough
to be broken by the renderer. 你好 🙂 and <b>no html</b> &lt; x
A second line.

 • one
 • two with x
    • nested
      more in the nested one
 • three

  9 nine
 10 ten

     ls -l
 11 eleven

▌ a quote
▌ of two lines

```python
def f(x):
    '''doc'''

    return x + 1  # and a comment that makes this line longer than most terminal
s are wide, so that it is broken
```

~~~
plain
~~~

 name  number
 ────────────
 a          1
 b         22

#tag is no heading

Setext

The end"""


def shown(pieces: list[str], columns: int = 80, rows: int = 24, *, plain: bool = False) -> Screen:
    """The screen after an answer in these pieces."""
    with own_terminal(columns, rows) as (file, screen):
        stream = MarkdownStream(file, plain=plain)
        for piece in pieces:
            stream.feed(piece)
        stream.close()
    return screen


@pytest.fixture(autouse=True)
def _capable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_drawn_as_expected() -> None:
    assert shown([SAMPLE]).text == SHOWN


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.integers(20, 120), st.integers(3, 30))
def test_pieces_and_size_leave_no_trace(sizes: list[int], columns: int, rows: int) -> None:
    pieces: list[str] = []
    rest = SAMPLE
    while rest:
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(rest[:size])
        rest = rest[size:]
    assert shown(pieces, columns, rows).text == shown([SAMPLE], columns, 1000).text


def test_each_character_by_itself() -> None:
    assert shown(list(SAMPLE), 40, 5).text == shown([SAMPLE], 40, 1000).text


def test_code_is_there_before_its_block_ends() -> None:
    with own_terminal(80, 24) as (file, screen):
        stream = MarkdownStream(file)
        stream.feed("```python\nfirst = 1\nsecond = 2\nthi")
    assert screen.text == "```python\nfirst = 1\nsecond = 2\nthi"


def test_long_block_in_a_low_terminal() -> None:
    words = [f"word{number} " for number in range(1500)]
    screen = shown(words, 40, 6)
    assert flat(screen.text) == flat("".join(words))


def test_narrower_in_the_middle() -> None:
    with own_terminal(60, 24) as (file, screen):
        stream = MarkdownStream(file)
        stream.feed("before\n\n" + "word " * 30)
    drawn = screen.text
    assert drawn.count("word") == 30
    with own_terminal(60, 24) as (file, screen):
        stream = MarkdownStream(file)
        stream.feed("before\n\n" + "word " * 30)
        screen.wait_until(lambda screen: screen.text == drawn)
        set_size(file.fileno(), 25, 24)
        screen.resize(25)
        stream.feed("last")
        stream.close()
    assert flat(screen.text) == flat("before" + "word" * 30 + "last")


HOSTILE = "a\x1b[2J\x1b]52;c;aGk=\x07b\x1b]8;;http://x\x1b\\c\x9b31md\r\x08e\u202ef\u2066g\x00h\x7fi\x85j"


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    "around", ["{}", "# {}", "`{}`", "```\n{}\n```", "```{}\nx\n```", "[{}](http://x)", "|{}|\n|-|"]
)
def test_commands_to_the_terminal_are_harmless(around: str, plain: bool) -> None:
    screen = shown([around.format(HOSTILE)], 200, plain=plain)
    ours = re.sub(r"\x1b\[[\d;]*m|\x1b\[\?7[lh]|\x1b\[\d*[ABJK]|\r?\n|\r", "", screen.raw)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", ours)
    assert "a[2J]52;c;aGk=b]8;;http://x" in screen.text


def test_commands_hidden_as_entities() -> None:
    screen = shown(["&#27;[2J&#x202E; [x](http://a&#27;b) &Tab;"])
    assert "\x1b[2J" not in screen.raw
    assert "\u202e" not in screen.raw


def test_plain_in_a_terminal() -> None:
    screen = shown(["**as it", " is** written\n\n- x"], plain=True)
    assert screen.raw.replace("\r\n", "\n") == "**as it is** written\n\n- x\n"


@pytest.mark.parametrize("kind", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", kind)
    assert "\x1b" not in shown(["# A\n\n**b**"]).raw


def test_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    screen = shown(["`code`\n\n```python\nx = 'y'\n```\n"])
    assert not re.search(r"\x1b\[(?:\d+;)*(?:3[0-7]|38|9[0-7])", screen.raw)
    assert "code" in screen.text


def test_a_pipe_gets_what_the_model_wrote() -> None:
    file = io.StringIO()
    stream = MarkdownStream(file)
    stream.think("not shown")
    stream.status("not shown")
    for piece in (HOSTILE, "**b**", "\n\n# c"):
        stream.feed(piece)
    stream.close()
    assert file.getvalue() == HOSTILE + "**b**\n\n# c"


def test_an_encoding_without_the_signs() -> None:
    with own_terminal(encoding="iso-8859-1") as (file, screen):
        stream = MarkdownStream(file)
        stream.feed("- ñandú 你\n")
        stream.close()
    assert screen.text == " * ñandú ?"


def test_status_and_reasoning_come_before_the_answer() -> None:
    with own_terminal() as (file, screen):
        stream = MarkdownStream(file)
        stream.status("reading 10 %")
        stream.status("reading 100 %")
        stream.think("Let me")
        stream.think(" see.\x1b[2J")
        stream.feed("The **answer**")
        stream.close()
    assert screen.text == "Thinking:\nLet me see.[2J\n\nThe answer"


def test_blocks_close_when_the_next_one_begins() -> None:
    blocks = Blocks()
    assert blocks.feed("para\n#") == []
    assert blocks.feed("tag\n\n# He") == []
    assert blocks.feed("ading\nnext\n") == [Prose("para\n#tag\n\n"), Prose("# Heading\n")]
    assert blocks.open == Prose("next\n")
    assert blocks.feed("```py x\na\n") == [Prose("next\n"), CodeLine("```py x", edge=True), CodeLine("a", "py")]
    assert blocks.feed("``\n````\nb") == [CodeLine("``", "py"), CodeLine("````", edge=True)]
    assert blocks.close() == [Prose("b\n")]
