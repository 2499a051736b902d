"""`abierto chat` for one question: from an argument, from a pipe, as JSON, and everything that can be wrong with it."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Abierto
from tests.tiny_gguf import TinyGGUF


def test_the_answer_goes_to_standard_output_alone(abierto: Abierto) -> None:
    done = abierto("chat", "-m", "echo", "Say this.")
    assert (done.status, done.out, done.err) == (0, "Say this.", "")


def test_a_pipe_is_added_to_the_prompt(abierto: Abierto) -> None:
    done = abierto("chat", "-m", "echo", "Summarise:", stdin="piñata\n".encode())
    assert (done.status, done.out) == (0, "Summarise:\n\npiñata\n")


def test_a_pipe_alone_is_the_prompt(abierto: Abierto) -> None:
    assert abierto("chat", "-m", "echo", stdin=b"hello").out == "hello"


def test_markdown_stays_as_it_is_in_a_pipe(abierto: Abierto) -> None:
    assert abierto("chat", "-m", "echo", "# Title\n\n* **bold**").out == "# Title\n\n* **bold**"


def test_json_is_one_document_with_everything(abierto: Abierto) -> None:
    done = abierto("chat", "-m", "echo", "--json", "two words")
    body = json.loads(done.out)
    assert (body["text"], body["finish_reason"], body["model"], body["engine"]) == ("two words", "stop", "echo", "echo")
    assert body["stats"]["completion_tokens"] == 2


def test_stats_go_beside_the_answer(abierto: Abierto) -> None:
    done = abierto("chat", "-m", "echo", "--stats", "two words")
    assert done.out == "two words"
    assert "2 tokens" in done.err


def test_a_limit_is_told(abierto: Abierto) -> None:
    done = abierto("chat", "-m", "echo", "--max-tokens", "2", "one two three")
    assert (done.status, done.out) == (0, "one two")
    assert "--max-tokens" in done.err


def test_a_stop_string_ends_the_answer(abierto: Abierto) -> None:
    assert abierto("chat", "-m", "echo", "--stop", " two", "one two three").out == "one"


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t"])
def test_an_empty_prompt(abierto: Abierto, prompt: str) -> None:
    done = abierto("chat", "-m", "echo", prompt)
    assert (done.status, done.out) == (2, "")
    assert "The prompt is empty" in done.err
    assert "hint:" in done.err


def test_an_empty_pipe(abierto: Abierto) -> None:
    assert abierto("chat", "-m", "echo", stdin=b"").status == 2


def test_a_pipe_that_is_not_utf_8(abierto: Abierto) -> None:
    done = abierto("chat", "-m", "echo", stdin="año".encode("latin-1"))
    assert (done.status, done.out) == (2, "")
    assert "byte 1" in done.err
    assert "iconv" in done.err


def test_a_mark_at_the_start_of_a_file_from_windows_is_no_text(abierto: Abierto) -> None:
    assert abierto("chat", "-m", "echo", stdin="hola".encode("utf-8-sig")).out == "hola"


def test_a_prompt_longer_than_the_context(abierto: Abierto) -> None:
    done = abierto("chat", "-m", "echo", "--context", "10", "word " * 49 + "word")
    assert (done.status, done.out) == (2, "")
    assert "51" in done.err
    assert "10" in done.err


def test_an_unknown_model_offers_the_nearest(abierto: Abierto) -> None:
    done = abierto("chat", "-m", "smolm2", "hi")
    assert done.status == 3
    assert "smollm2:135m" in done.err


def test_a_model_that_is_not_here_says_how_to_get_it(abierto: Abierto) -> None:
    done = abierto("chat", "hi")
    assert done.status == 3
    assert "abierto pull smollm2:135m" in done.err


def test_an_unknown_engine_lists_those_that_exist(abierto: Abierto) -> None:
    done = abierto("chat", "-m", "echo", "-e", "warp", "hi")
    assert done.status == 3
    assert "llamacpp" in done.err


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--temperature", "9", "temperature"),
        ("--temperature", "warm", "warm"),
        ("--top-p", "2", "top_p"),
        ("--seed", "-1", "seed"),
        ("--max-tokens", "0", "max_tokens"),
        ("--context", "0", "--context"),
    ],
)
def test_a_number_out_of_range_is_named(abierto: Abierto, option: str, value: str, told: str) -> None:
    done = abierto("chat", "-m", "echo", option, value, "hi")
    assert (done.status, done.out) == (2, "")
    assert told in done.err


@pytest.mark.parametrize("written", ["", "[]", "no json", '{"type": "nonsense"}', '{"type": 5}', "\xff"], ids=range(6))
def test_a_schema_that_is_none(abierto: Abierto, tmp_path: Path, written: str) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(written, "latin-1")
    done = abierto("chat", "-m", "echo", "--schema", str(schema), "hi")
    assert (done.status, done.out) == (2, "")
    assert str(schema) in done.err


def test_a_schema_that_is_not_there(abierto: Abierto, tmp_path: Path) -> None:
    assert abierto("chat", "-m", "echo", "--schema", str(tmp_path / "none.json"), "hi").status == 3


def test_an_engine_without_schemas_says_so(abierto: Abierto, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object"}')
    done = abierto("chat", "-m", "echo", "--schema", str(schema), "hi")
    assert done.status == 8
    assert "schema" in done.err


def test_errors_are_told_in_spanish_too(abierto: Abierto) -> None:
    done = abierto("chat", "-m", "echo", "", ABIERTO_LANGUAGE="es")
    assert "El mensaje está vacío" in done.err
    assert "consejo:" in done.err


def test_a_model_larger_than_memory_is_refused_before_it_is_loaded(abierto: Abierto, tmp_path: Path) -> None:
    path = TinyGGUF().write(tmp_path / "tiny.gguf")
    done = abierto("chat", "-m", str(path), "hi", ABIERTO_MEMORY_MARGIN="100000000")
    assert (done.status, done.out) == (5, "")
    assert "tiny" in done.err


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (b"", 4, "empty"),
        (b"hello, I am a text", 4, "text"),
        (b"<!DOCTYPE html><html>", 4, "web page"),
        (b"GGUF\x03\x00\x00\x00" + b"\xff" * 16, 4, "damaged"),
    ],
    ids=["empty", "text", "page", "lies"],
)
def test_a_file_that_is_no_sound_model(
    abierto: Abierto, tmp_path: Path, content: bytes, status: int, told: str
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    done = abierto("chat", "-m", str(path), "hi")
    assert (done.status, done.out) == (status, "")
    assert told in done.err
    assert "Traceback" not in done.err


def test_a_truncated_model(abierto: Abierto, tmp_path: Path) -> None:
    path = TinyGGUF().write(tmp_path / "tiny.gguf")
    path.write_bytes(path.read_bytes()[:-100])
    done = abierto("chat", "-m", str(path), "hi")
    assert done.status == 4
    assert "Traceback" not in done.err


def test_a_reader_that_has_enough_is_no_error(abierto: Abierto, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text("word " * 2000)
    line = f"{shlex.quote(sys.executable)} -m abierto chat -m echo < {words} | head -c 4"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout == "word"
    assert done.stderr == ""


def test_a_home_that_cannot_be_written_costs_only_the_keeping(abierto: Abierto, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file where the home should be")
    done = abierto("chat", "-m", "echo", "hi", ABIERTO_HOME=str(taken / "inside"))
    assert (done.status, done.out) == (0, "hi")
    assert "note:" in done.err


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such signal")
def test_ctrl_c_ends_the_answer_without_a_traceback(tmp_path: Path) -> None:
    path = TinyGGUF(says="abcdefg", ends=False, context=8192).write(tmp_path / "tiny.gguf")
    command = [sys.executable, "-m", "abierto", "chat", "-m", str(path), "hi"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.read(3) == b"abc"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "Cancelled" in err.decode()
    assert "Traceback" not in err.decode()


@pytest.mark.model
def test_the_starter_model_answers(abierto: Abierto, starter_home: Path) -> None:
    done = abierto("chat", "--seed", "1", "--max-tokens", "20", "What is the capital of France?")
    assert done.status == 0
    assert "Paris" in done.out


@pytest.mark.model
def test_a_spanish_prompt_gets_a_notice(abierto: Abierto, starter_home: Path) -> None:
    done = abierto("chat", "--max-tokens", "5", "¿Cuál es la capital de Francia?", ABIERTO_LANGUAGE="es")
    assert done.status == 0
    assert "solo habla inglés" in done.err


@pytest.mark.model
def test_an_answer_follows_its_schema(abierto: Abierto, starter_home: Path, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(
        json.dumps(
            {
                "type": "object",
                "properties": {"city": {"type": "string"}, "country": {"enum": ["France", "Spain"]}},
                "required": ["city", "country"],
                "additionalProperties": False,
            }
        )
    )
    done = abierto("chat", "--schema", str(schema), "--seed", "1", "Name a city of Spain, as JSON.")
    assert done.status == 0
    assert json.loads(done.out)["country"] in ("France", "Spain")


@pytest.mark.model
def test_an_answer_cut_before_its_schema_is_complete(abierto: Abierto, starter_home: Path, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}')
    done = abierto("chat", "--schema", str(schema), "--max-tokens", "3", "Tell a story, as JSON.")
    assert done.status == 1
    assert "--max-tokens" in done.err
