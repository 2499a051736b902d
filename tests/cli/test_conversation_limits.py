"""The conversation where something is missing: room in the context, the engine, the journal, a good terminal."""

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.terminal import Program, echo, flat, flat_line, messages
from tests.tiny_gguf import TinyGGUF


def test_without_a_journal_it_says_so_once_and_goes_on(home: Path) -> None:
    home.mkdir()
    (home / "data").write_text("a file where a folder should be")
    with echo(home) as chat:
        assert chat.say("**one**").splitlines()[1] == "one"
        chat.say("two")
        chat.ready()
        chat.type("\x1b[A")
        chat.wait(lambda screen: screen.text.endswith("> two"))
        # The path is as long as the test's folder, so the terminal may break it anywhere.
        assert chat.screen.text.replace("\n", "").count("journal.db") == 1


def test_the_full_context_offers_choices(home: Path) -> None:
    with echo(home, "--context", "60") as chat:
        chat.say("a b c d e f g h i j")
        chat.say("k l m n o p q r s t")
        full = chat.say("u v w x y z")
        assert "Nothing was sent" in full
        assert "frees" in full
        assert "number from 1 to 4" in chat.say("9")
        chat.ready()
        chat.type("4\r")
        chat.wait(lambda screen: screen.text.endswith("> u v w x y z"))
        chat.type("\r")
        chat.wait_for("What now?")
        chat.ready()
        assert "u v w x y z" in chat.say("1").splitlines()[1]
        assert "a b c" not in messages(home)[0]
        assert "u v w" in messages(home)[0]


def test_the_full_context_can_be_summed_up_or_left(home: Path) -> None:
    with echo(home, "--context", "64", "--max-tokens", "8") as chat:
        for letters in ("a b c d e", "f g h i j", "k l m n o", "p q r s t"):
            chat.say(letters)
        said = chat.say("u v w x y z 1 2 3 4 5 6")
        assert "What now?" in said
        summed = chat.say("2")
        assert "Summing up the oldest exchanges" in summed
        assert "Sum up our conversation" in summed
        with closing(sqlite3.connect(home / "data" / "journal.db")) as database, database:
            assert "Sum up our conversation" in str(database.execute("SELECT settings FROM conversations").fetchall())


def test_a_new_conversation_when_the_context_is_full(home: Path) -> None:
    with echo(home, "--context", "52") as chat:
        chat.say("a b c d e f g h i j")
        chat.say("k l m n o p q r s t")
        assert "will be asked" in flat_line(chat.screen.text)
        chat.say("u v w x y z")
        chat.say("3")
        assert "u v w" not in messages(home)[0]
        assert "u v w" in messages(home)[1]


def test_a_message_too_long_by_itself(home: Path) -> None:
    with echo(home, "--context", "40") as chat:
        chat.ready()
        chat.type("a " * 50 + "\r")
        chat.wait_for("tokens too long by itself")
        chat.wait(lambda screen: flat(screen.text).endswith("a" * 50))


def test_a_longer_context_is_offered_where_the_model_was_trained_for_it(home: Path, tmp_path: Path) -> None:
    path = TinyGGUF(says="Yes.", context=2048).write(tmp_path / "tiny.gguf")
    with Program("chat", "--model", f"file:{path}", "--context", "256", home=home) as chat:
        chat.say("a" * 120)
        assert "What now?" in chat.say("b" * 120)
        assert "Yes." in chat.say("3")
        assert "context         1,024" in chat.say("/set")


def test_a_crash_of_the_engine_loads_it_again(home: Path, tmp_path: Path) -> None:
    # So long that no computer ends the answer before the engine is killed.
    path = TinyGGUF(says="abc", ends=False, context=65536).write(tmp_path / "tiny.gguf")
    with Program("chat", "--model", f"file:{path}", "--context", "65536", home=home) as chat:
        chat.ready()
        chat.type("go\r")
        chat.wait_for("abcabc")
        (worker,) = children(chat.pid)
        os.kill(worker, signal.SIGKILL)
        chat.wait_for("/retry asks the last question")
        chat.ready()
        chat.type("/retry\r")
        chat.wait(lambda screen: screen.text.count("abcabc") > 1)
        chat.type("\x03")
        chat.ready()


def children(parent: int) -> list[int]:
    import psutil

    return [child.pid for child in psutil.Process(parent).children()]


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1"}, {"LC_ALL": "C", "LANG": "C"}])
def test_poor_terminals(home: Path, environment: dict[str, str]) -> None:
    with Program("chat", "--model", "echo", home=home, environment=environment) as chat:
        answer = chat.say("a **b** c")
        assert "a b c" in answer or "a **b** c" in answer.splitlines()[1]
        assert "show this list" in chat.say("/help")
        chat.type("/exit\r")
        assert chat.end() == 0
    if "NO_COLOR" in environment or "TERM" in environment:
        assert "\x1b[3" not in chat.screen.raw


def test_a_dumb_terminal_takes_blocks_and_keeps_failed_messages(home: Path) -> None:
    with echo(home, "--context", "40", TERM="dumb") as chat:
        chat.ready()
        chat.type('"""\rone\rtwo"""\r')
        chat.wait_for("one\r\ntwo")
        chat.ready()
        chat.type("a " * 50 + "\r")
        chat.wait_for("Enter alone sends this again")
        chat.ready()
        chat.type("\x04")
        assert chat.end() == 0
        assert "\x1b[A" not in chat.screen.raw


def test_twenty_columns(home: Path) -> None:
    with echo(home, columns=20, rows=10) as chat:
        assert "the oldest exchanges" not in chat.say("a **b** c")
        helped = chat.say("/help")
        assert "/system [TEXT]" in helped
        assert all(len(line) <= 20 for line in helped.splitlines())


def test_bytes_that_are_no_text(home: Path) -> None:
    with echo(home) as chat:
        chat.ready()
        chat.child.send(b"caf\xe9 **x**")
        chat.wait_for("**x**")
        chat.type("\r")
        chat.wait_for("is not UTF-8")
        assert chat.screen.text.count("Traceback") == 0


def test_nothing_that_was_typed_can_command_the_terminal(home: Path) -> None:
    with echo(home) as chat:
        chat.ready()
        chat.type("\x1b[200~a\x1b]0;title\x07b **c**\x1b[201~\r")
        chat.wait_for("title")
        chat.ready()
        assert "\x1b]0;" not in chat.screen.raw


@pytest.mark.model
def test_a_language_that_the_model_does_not_speak_is_said_once(starter_home: Path) -> None:
    with Program("chat", "--max-tokens", "5", home=starter_home) as chat:
        assert "speaks English only" not in flat_line(chat.say("What is the name of the sea?"))
        assert "speaks English only" in flat_line(chat.say("¿Cómo se llama el mar?"))
        assert "speaks English only" not in flat_line(chat.say("¿Y cómo se llama la montaña?"))
