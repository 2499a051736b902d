"""The conversation as a person meets it: a terminal, keys, and what is on the screen."""

import os
import re
import signal
from pathlib import Path

import pytest

from tests.cli.terminal import Program, echo, flat, flat_line, messages
from tests.tiny_gguf import TinyGGUF

# An answer longer than what a terminal holds for its reader: the program waits until the test reads on.
LONG = "\n\n".join(["**begin**", *(f"{number}: " + "word " * 30 for number in range(60)), "**end**"])
BEGUN = re.compile(r"(?<!\*)begin(?!\*)")


def test_it_answers_in_markdown_and_ends_with_ctrl_d(home: Path) -> None:
    with echo(home) as chat:
        assert "hello world" in chat.say("hello **world**")
        chat.type("\x04")
        assert chat.end() == 0


@pytest.mark.parametrize(
    ("language", "greeting", "leave", "help_line"),
    [
        ("en", "echo answers", "To leave: Ctrl-D", "end the conversation"),
        ("es", "Responde echo", "Para salir: Ctrl-D", "terminar"),
    ],
)
def test_both_languages(home: Path, language: str, greeting: str, leave: str, help_line: str) -> None:
    with echo(home, ABIERTO_LANGUAGE=language) as chat:
        chat.wait_for(greeting)
        chat.ready()
        chat.type("\x03")
        chat.wait_for(leave)
        assert help_line in chat.say("/help")
        chat.type("/exit\r")
        assert chat.end() == 0


@pytest.mark.parametrize(
    "keys",
    [
        "**one**\x1b\r**two**",  # Alt-Enter
        "**one**\\\r**two**",  # a backslash before Enter
        "\x1b[200~**one**\r\n**two**\x1b[201~",  # pasted
        '"""\r**one**\r**two**\r"""',
    ],
)
def test_messages_of_several_lines(home: Path, keys: str) -> None:
    with echo(home) as chat:
        chat.ready()
        chat.type(keys)
        chat.wait(lambda screen: "".join(screen.lines[screen.row]).strip() != ">")
        chat.type("\r")
        chat.wait_for("one\ntwo")
        chat.ready()
        assert '"role": "user", "content": "**one**\\n**two**"' in messages(home)[0]


def test_history_goes_on_in_the_next_conversation(home: Path) -> None:
    with echo(home) as chat:
        chat.say("something to remember")
    with echo(home) as chat:
        chat.ready()
        chat.type("\x1b[A")
        chat.wait_for("> something to remember")


def test_tab_completes_commands_models_and_settings(home: Path) -> None:
    with echo(home) as chat:
        chat.ready()
        chat.type("/mo\t")
        chat.wait_for("> /model")
        chat.type(" ec\t\r")
        chat.wait_for("/model echo")
        chat.ready()
        chat.type("/set tem\t")
        chat.wait_for("/set temperature")


def test_ctrl_c_stops_the_answer_and_not_the_conversation(home: Path) -> None:
    with echo(home) as chat:
        chat.ready()
        chat.type(f"\x1b[200~{LONG}\x1b[201~\r")
        chat.wait(lambda screen: bool(BEGUN.search(screen.text)))
        chat.type("\x03")
        chat.wait_for("[stopped]")
        assert "still here" in chat.say("still **here**")
        kept = messages(home)[0]
        assert '"stopped": "yes"' in kept
        assert kept.count("**end**") == 1


def test_ctrl_c_while_the_conversation_is_read_gives_the_message_back(home: Path, tmp_path: Path) -> None:
    # Large enough that reading the prompt takes a while even on a fast computer.
    path = TinyGGUF(embedding=256, feed_forward=1024, layers=6, context=16384).write(tmp_path / "slow.gguf")
    question = "a question " * 1000
    with Program("chat", "--model", f"file:{path}", "--context", "16384", home=home) as chat:
        chat.ready()
        chat.type(f"\x1b[200~{question}\x1b[201~\r")
        chat.wait_for("reading the conversation")
        chat.type("\x03")
        chat.wait(lambda screen: "[stopped]" in screen.text or "Nothing was changed" in screen.text)


def test_unknown_commands_offer_the_nearest_and_slashes_can_be_sent(home: Path) -> None:
    with echo(home) as chat:
        assert "Did you mean /system?" in chat.say("/sistem")
        assert "There is no command /xyzzy" in chat.say("/xyzzy")
        assert chat.say("//etc **x**").splitlines()[1] == "/etc x"


def test_settings_are_shown_changed_and_refused(home: Path) -> None:
    with echo(home) as chat:
        assert "temperature: 0.5" in chat.say("/set temperature 0,5")
        assert "it goes from 0 to 5" in chat.say("/set temperature 9")
        assert "it is a number from 0 to 5" in chat.say("/set temperature warm")
        assert "it is a whole number from 0 on" in chat.say("/set top_k 1.5")
        assert "Similar ones: temperature" in chat.say("/set temprature 1")
        assert "stop: END 'two words'" in chat.say('/set stop END "two words"')
        assert chat.say("a **b** END c").splitlines()[1] == "a b"
        assert "max_tokens: 2" in chat.say("/set max-tokens 2")
        cut = chat.say("one **two** three")
        assert cut.splitlines()[1] == "one two"
        assert "cut at 2 tokens" in cut
        assert "chosen by the engine" in chat.say("/set max_tokens default")
        shown = chat.say("/set")
        assert "temperature     0.5" in shown
        assert "context         4,096" in shown


def test_system_prompt(home: Path) -> None:
    with echo(home) as chat:
        assert "no system prompt" in chat.say("/system")
        assert "System prompt: Be brief." in chat.say("/system Be brief.")
        chat.say("hello")
        assert '{"role": "system", "content": "Be brief."}' in messages(home)[0]
        assert "no system prompt" in chat.say("/system -")
        assert "Be brief" not in messages(home)[0]


def test_retry_and_undo(home: Path) -> None:
    with echo(home, "--seed", "7") as chat:
        assert "no question" in chat.say("/retry")
        assert "nothing to take back" in chat.say("/undo")
        chat.say("first")
        chat.say("second")
        again = chat.say("/retry")
        assert "With the next seed, 8" in again
        assert again.rstrip().endswith("second")
        assert "With the next seed, 9" in chat.say("/retry")
        assert messages(home)[0].count("second") == 2
        assert "Taken back: second" in chat.say("/undo")
        assert "second" not in messages(home)[0]
        assert "first" in messages(home)[0]


def test_numbers_of_the_conversation(home: Path) -> None:
    with echo(home) as chat:
        chat.say("one two three")
        shown = flat(chat.say("/stats"))
        assert flat("answer 3 tokens") in shown
        assert flat("answers so far: 1; tokens read: 4") in shown
        assert flat("context: 8 of 4,096 tokens in use") in shown


def test_another_model_goes_on_with_the_conversation(home: Path, tmp_path: Path) -> None:
    path = TinyGGUF(says="Yes.").write(tmp_path / "tiny.gguf")
    with echo(home) as chat:
        chat.say("first")
        listed = chat.say("/model")
        assert "echo" in listed
        assert "<- in use" in listed
        assert "smollm2:135m" in listed
        assert "Similar names" in chat.say("/model ecko")
        assert chat.say("still **echo**").splitlines()[1] == "still echo"
        assert "tiny answers" in flat_line(chat.say(f"/model file:{path}"))
        assert "Yes." in chat.say("second")
        kept = messages(home)[0]
        assert "first" in kept
        assert "second" in kept


def test_a_model_that_cannot_be_loaded_leaves_the_old_one(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(TinyGGUF().build()[:2000])
    with echo(home) as chat:
        assert "error:" in chat.say(f"/model file:{path}")
        assert chat.say("**here**").splitlines()[1] == "here"


def test_conversations_are_saved_listed_and_resumed(home: Path) -> None:
    with echo(home) as chat:
        assert "nothing to keep" in chat.say("/save")
        chat.say("about **bread**")
        assert "number 1" in chat.say("/save baking")
        assert "at least one letter" in chat.say("/save 12")
        chat.say("more")
        chat.type("\x04")
        chat.end()
    with echo(home) as chat:
        chat.say("another")
        assert "already called baking" in chat.say("/save baking")
        listed = chat.say("/load")
        assert "baking" in listed
        assert "about **bread**" in listed
        assert "no kept conversation called bakin" in chat.say("/load bakin")
        resumed = chat.say("/load baking")
        assert "> more" in resumed
        chat.say("and more")
        assert '"and more"' in messages(home)[0]
        assert '"another"' in messages(home)[1]
    with Program("chat", "--load", "baking", home=home) as chat:
        chat.wait_for("goes on with echo")
        chat.ready()


def test_a_killed_terminal_loses_nothing(home: Path) -> None:
    with echo(home) as chat:
        chat.say("said before")
        chat.ready()
        chat.type(f"\x1b[200~unanswered {LONG}\x1b[201~\r")
        chat.wait(lambda screen: bool(BEGUN.search(screen.text)))
        os.kill(chat.pid, signal.SIGKILL)
        chat.end()
    with echo(home) as chat:
        shown = chat.say("/load")
        assert "said before" in shown
        chat.type("/load 1\r")
        # The question that had no answer is in the input line again.
        chat.wait_for("> said before")
        chat.wait_for("**end**")
        chat.type("\x03")


def test_nothing_is_kept_when_the_settings_say_so(home: Path) -> None:
    with echo(home, ABIERTO_KEEP_CONVERSATIONS="no") as chat:
        chat.say("private")
        assert "are kept in" not in chat.screen.text
        assert messages(home) == []
        assert not any(b"private" in path.read_bytes() for path in home.rglob("*") if path.is_file())
        chat.say("/save")
        assert len(messages(home)) == 1
