"""`import abierto; abierto.chat(...)`: what a notebook or a script gets."""

import doctest
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import abierto
from abierto import errors
from abierto.runtime import ask
from tests.tiny_gguf import TinyGGUF
from tests.tiny_projector import TOKENS, TinyProjector, png


@pytest.fixture(autouse=True)
def _unloaded() -> Iterator[None]:
    yield
    abierto.unload()


def test_an_answer_is_text_that_knows_what_it_cost() -> None:
    answer = abierto.chat("two words", model="echo")
    assert answer == "two words"
    assert (answer.finish_reason, answer.model) == ("stop", "echo")
    assert answer.stats is not None
    assert answer.stats.completion_tokens == 2


def test_a_notebook_draws_an_answer_as_markdown() -> None:
    assert abierto.chat("**bold**", model="echo")._repr_markdown_() == "**bold**"


def test_a_stream_comes_in_pieces() -> None:
    assert list(abierto.chat("one two", model="echo", stream=True)) == ["one", " two"]


def test_a_conversation_is_a_list_of_messages() -> None:
    said = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    assert abierto.chat(said, model="echo", system="Be brief.") == "c"


@pytest.mark.parametrize("prompt", ["", "  ", []], ids=repr)
def test_an_empty_prompt_is_an_error_with_a_note(prompt: str | list[dict[str, str]]) -> None:
    with pytest.raises(errors.EmptyPrompt) as caught:
        abierto.chat(prompt, model="echo")
    (note,) = caught.value.__notes__
    assert "empty" in note


def test_the_note_is_in_the_persons_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABIERTO_LANGUAGE", "es")
    with pytest.raises(abierto.AbiertoError) as caught:
        abierto.chat("hola", model="nadie")
    assert "No hay ningún modelo" in caught.value.__notes__[0]


def test_an_error_in_the_middle_of_a_stream_has_its_note_too() -> None:
    with pytest.raises(errors.PromptTooLong) as caught:
        list(abierto.chat("word " * 20, model="echo", context=10, stream=True))
    assert len(caught.value.__notes__) == 1


def test_a_number_out_of_range_is_refused() -> None:
    with pytest.raises(errors.OptionOutOfRange):
        abierto.chat("x", model="echo", temperature=-1)


def test_a_schema_that_is_none_is_refused() -> None:
    with pytest.raises(errors.InvalidSchema):
        abierto.chat("x", model="echo", schema={"type": "nonsense"})


def test_the_model_stays_loaded_between_calls(tmp_path: Path) -> None:
    path = str(TinyGGUF(says="abc").write(tmp_path / "tiny.gguf"))
    first, second = (abierto.chat("hi", model=path) for _ in range(2))
    assert first == second == "abc"
    # The second call finds the prompt read already, in the same process.
    assert second.stats is not None
    assert second.stats.cached_tokens > 0


def test_threads_share_the_model(tmp_path: Path) -> None:
    path = str(TinyGGUF(says="abc").write(tmp_path / "tiny.gguf"))
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(abierto.chat("hi", model=path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["abc"] * 4


def test_closing_a_stream_stops_the_model(tmp_path: Path) -> None:
    path = str(TinyGGUF(says="abc", ends=False, context=4096).write(tmp_path / "tiny.gguf"))
    stream = abierto.chat("hi", model=path, stream=True)
    assert next(iter(stream))
    stream.close()  # type: ignore[attr-defined]
    assert abierto.chat("hi", model=path, max_tokens=3).startswith("a")


def test_the_examples_of_the_docstring_are_true() -> None:
    assert doctest.testmod(ask).failed == 0
    assert "abierto.chat" in (ask.chat.__doc__ or "")


def test_a_script_ends_cleanly_with_its_model_still_loaded(tmp_path: Path) -> None:
    path = TinyGGUF(says="abc").write(tmp_path / "tiny.gguf")
    script = f"import abierto; print(abierto.chat('hi', model={str(path)!r}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("abc\n", "")


def test_nothing_of_a_prompt_is_stored(home: Path) -> None:
    script = "import abierto; abierto.chat('the walrus secret', model='echo')"
    subprocess.run([sys.executable, "-c", script], check=True)
    stored = [path for path in home.rglob("*") if path.is_file()]
    assert stored, "the measurement is kept"
    assert not any(b"walrus" in path.read_bytes() for path in stored)


@pytest.mark.model
def test_the_starter_model_follows_a_schema(starter_home: Path) -> None:
    import json

    schema = {"type": "object", "properties": {"answer": {"enum": ["yes", "no"]}}, "required": ["answer"]}
    answer = abierto.chat("Is water wet? Answer in JSON.", schema=schema, seed=1)
    assert json.loads(answer)["answer"] in ("yes", "no")


def test_images_from_paths_bytes_and_earlier_messages(tmp_path: Path) -> None:
    model = TinyGGUF(says="Hé 你🙂.", dtype="f16", context=1024).write(tmp_path / "tiny.gguf")
    projector = TinyProjector().write(tmp_path / "eyes.gguf")
    photo = tmp_path / "photo.png"
    photo.write_bytes(png())
    turn: dict[str, Any] = {"role": "user", "content": "What is this?"}
    said = [{**turn, "images": [photo]}, {"role": "assistant", "content": "Red."}, turn]

    def read(prompt: ask.Prompt, images: ask.Images) -> int:
        answer = abierto.chat(prompt, model=str(model), projector=str(projector), images=images)
        assert answer == "Hé 你🙂."
        assert answer.stats is not None
        return answer.stats.prompt_tokens

    blind = read([turn], ())
    assert read("What is this?", str(photo)) == blind + TOKENS
    assert read([turn], [photo, png(3, 3), bytearray(png())]) == blind + 3 * TOKENS
    plain = [{name: value for name, value in one.items() if name != "images"} for one in said]
    assert read(said, png()) == read(plain, ()) + 2 * TOKENS


def test_an_image_that_is_none_has_its_note() -> None:
    with pytest.raises(errors.NotAnImage) as caught:
        abierto.chat("What is this?", model="echo", images=__file__)
    assert "save it as PNG or JPEG" in caught.value.__notes__[0]
