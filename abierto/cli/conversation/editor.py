"""A line editor with history and completion. This module imports prompt_toolkit, so it is imported where it is used."""

import sys
from collections.abc import Callable, Iterable

from prompt_toolkit import PromptSession  # noqa: TID253 - see above
from prompt_toolkit.completion import CompleteEvent, Completer, Completion  # noqa: TID253
from prompt_toolkit.document import Document  # noqa: TID253
from prompt_toolkit.history import History  # noqa: TID253
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent  # noqa: TID253
from prompt_toolkit.output import ColorDepth  # noqa: TID253
from prompt_toolkit.shortcuts import CompleteStyle  # noqa: TID253
from prompt_toolkit.utils import is_dumb_terminal  # noqa: TID253

from abierto import config
from abierto.cli import out
from abierto.cli.conversation.keyboard import CONTINUATION, PROMPT, Reader, unfinished, unquoted
from abierto.locale import text


def open_editor(
    history: Callable[[], list[str]], remember: Callable[[str], None], complete: Callable[[str], list[str]]
) -> Reader | None:
    """An editor, or None where the cursor cannot be moved."""
    if is_dumb_terminal():
        return None
    typed, completer = _Typed(history, remember), _Offered(complete)
    if sys.platform == "win32":
        from prompt_toolkit.output.win32 import NoConsoleScreenBufferError

        # Some terminal programs on Windows are no console.
        try:
            return Editor(typed, completer)
        except NoConsoleScreenBufferError:
            return None
    return Editor(typed, completer)


class Editor:
    """Enter sends; Alt-Enter, or Esc and Enter, begins a new line, and so does Enter after a backslash."""

    def __init__(self, history: History, completer: Completer) -> None:
        depth = None if config.wants_colour() else ColorDepth.DEPTH_1_BIT
        self._history = history
        self._session: PromptSession[str] = PromptSession(
            PROMPT,
            multiline=True,
            prompt_continuation=CONTINUATION,
            history=history,
            completer=completer,
            # Offers are printed on Tab, as in a shell: a menu would need lines that a small terminal lacks.
            complete_style=CompleteStyle.READLINE_LIKE,
            complete_while_typing=False,
            key_bindings=_keys(),
            enable_suspend=True,
            color_depth=depth,
        )
        self._choices: PromptSession[str] = PromptSession(PROMPT, color_depth=depth)

    def message(self, draft: str) -> str:
        """See `Reader`. Ctrl-C on a line with text clears it; the text is in the history."""
        try:
            return unquoted(self._session.prompt(default=draft))
        except KeyboardInterrupt:
            typed = self._session.default_buffer.text
            if not typed.strip():
                raise
            self._history.append_string(typed)
            return ""

    def choice(self, highest: int) -> int:
        """See `Reader`."""
        while True:
            try:
                typed = self._choices.prompt().strip()
            except (EOFError, KeyboardInterrupt):
                return 0
            if typed.isdecimal() and 1 <= int(typed) <= highest:
                return int(typed)
            out.note(text("chat.choose", highest=highest))


class _Typed(History):
    def __init__(self, earlier: Callable[[], list[str]], remember: Callable[[str], None]) -> None:
        super().__init__()
        self._earlier = earlier
        self._remember = remember

    def load_history_strings(self) -> Iterable[str]:
        return self._earlier()

    def store_string(self, string: str) -> None:
        self._remember(string)


class _Offered(Completer):
    def __init__(self, complete: Callable[[str], list[str]]) -> None:
        self._complete = complete

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        typed = document.text_before_cursor
        start = -len(typed.rpartition(" ")[2])
        for word in self._complete(typed):
            yield Completion(word, start_position=start)


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _send(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.document.is_cursor_at_the_end and buffer.text.endswith("\\"):
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
        elif unfinished(buffer.text):
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys
