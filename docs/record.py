"""Records a real session in a real terminal, for the READMEs: `python docs/record.py en` (or `es`), in a clone.

Needs tmux, which is the terminal. It types `make chat`, asks, and leaves; nothing is edited afterwards. Run it with a
HOME and in a folder whose names may be read by everybody. Writes `docs/images/session.LANGUAGE.svg` and `.txt`.
"""

import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from abierto import machine

COLUMNS, ROWS = 92, 40
PATIENCE = 600.0
IMAGES = Path(__file__).with_name("images")
# The last line while somebody waits for us: the conversation, and the shell.
CONVERSATION, SHELL = ">", "$"
ASKED = [
    "/set max_tokens 120",
    "Why is the sky blue?",
    "Name three things to take on a boat, as a list.",
    "¿Por qué es azul el cielo?",
    "/stats",
]
NOTES = {
    "en": "# {date}, {processor}, {cores} cores, {memory} GB, {system}, Python {python}; smollm2:135m (Q4_1)",
    "es": "# {date}, {processor}, {cores} núcleos, {memory} GB, {system}, Python {python}; smollm2:135m (Q4_1)",
}
# rich's picture without its web font: a picture must not fetch anything. The letters are the reader's own.
PICTURE = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-size: {char_height}px; font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace; }}
.{unique_id}-title {{ font-family: sans-serif; font-size: 18px; font-weight: bold; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


class Terminal:
    """A terminal of tmux with a plain shell in it, on a server of its own."""

    def __init__(self, language: str) -> None:
        environment = {
            "HOME": os.environ["HOME"],
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "LC_MESSAGES": language,
            "PS1": "$ ",
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
        }
        self._environment = environment
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "bash", "--norc")
        self._tmux("set-option", "-g", "history-limit", "5000")

    def type(self, line: str, prompt: str) -> None:
        """Type a line and wait until the prompt is there again."""
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")
        deadline = time.monotonic() + PATIENCE
        while not self._waits(prompt):
            if time.monotonic() > deadline:
                raise TimeoutError(self.shown())
            time.sleep(0.2)

    def shown(self) -> str:
        """All that was written, with its colours."""
        return self._tmux("capture-pane", "-p", "-e", "-S", "-").rstrip()

    def close(self) -> None:
        """End the shell and all in it."""
        self._tmux("kill-server")

    def _waits(self, prompt: str) -> bool:
        lines = self._tmux("capture-pane", "-p").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "").rstrip() == prompt

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-u", "-L", f"abierto-{os.getpid()}", *arguments]
        done = subprocess.run(command, env=self._environment, check=True, capture_output=True, encoding="utf-8")
        return done.stdout


def main(language: str) -> None:
    """Record a session in a language and write its picture and its text."""
    terminal = Terminal(language)
    try:
        terminal.type("make chat", CONVERSATION)
        for line in ASKED:
            terminal.type(line, CONVERSATION)
        terminal.type("/exit", SHELL)
        shown = terminal.shown()
    finally:
        terminal.close()
    shown = f"{_note(language)}\n{shown.removesuffix(SHELL).rstrip()}"
    (IMAGES / f"session.{language}.svg").write_text(picture(shown, f"session-{language}"), "utf-8", newline="\n")
    (IMAGES / f"session.{language}.txt").write_text(plain(shown), "utf-8", newline="\n")


def picture(shown: str, name: str) -> str:
    """The session as SVG."""
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="standard")
    console.print(Text.from_ansi(shown))
    return console.export_svg(title="abierto", code_format=PICTURE, unique_id=name)


def plain(shown: str) -> str:
    """The session as text."""
    from rich.text import Text

    lines = Text.from_ansi(shown).plain.splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _note(language: str) -> str:
    found = machine.describe()
    return NOTES[language].format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        processor=found.processor,
        cores=found.cores.physical,
        memory=round(found.memory.total / 1e9),
        system=_system(),
        python=platform.python_version(),
    )


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:  # not Linux
        return f"{platform.system()} {platform.release()}"


if __name__ == "__main__":
    main(sys.argv[1])
