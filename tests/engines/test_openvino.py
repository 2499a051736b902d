"""What only the OpenVINO engine does: its batch, its seeds, its schemas, its kept tokenizer, its words."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from abierto import engines
from abierto.engines import llamacpp, openvino
from abierto.engines.session import LoadOptions
from abierto.errors import EngineFailed, InvalidSchema, LoadFailed
from abierto.runtime import child
from abierto.runtime.schema import validate
from abierto.store.kept import Form
from abierto.tasks.chat import ChatRequest
from abierto.tasks.events import Text
from tests.engines.kinds import OPENVINO, SAYS, Kind, Workshop, ask
from tests.tiny_gguf import TinyGGUF
from tests.tiny_openvino import write_openvino

HERE = OPENVINO[0]
NOWHERE = {"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}}
TEXTS = [
    "The capital of France is",
    "  two   spaces\tand a tab\n\n\nthree lines ",
    "¿Qué tal? 你好🙂 <|im_end|> don't 12345 x=y+1;",
    "One word after another, " * 2500,  # more tokens than the engine reads at once
]
FACTS = {"block_count": 1, "embedding_length": 64, "feed_forward_length": 128, "context_length": 512}
FACTS |= {"attention.head_count": 4, "attention.head_count_kv": 2, "rope.dimension_count": 16}


def answer(workshop: Workshop, request: ChatRequest, model: str = "random") -> str:
    events = workshop.session(HERE, model).chat(request)
    return "".join(event.text for event in events if isinstance(event, Text))


def test_seeds_hold_in_company(workshop: Workshop) -> None:
    requests = [ask("abc", max_tokens=30, temperature=1.5, seed=seed) for seed in (1, 2, 3)]
    alone = [answer(workshop, request) for request in requests]
    company = [ask("abd", max_tokens=60, temperature=1.5)] * 3
    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(lambda request: answer(workshop, request), [*company, *requests]))
    assert together[3:] == alone
    assert len({*together[:3]}) > 1  # and without a seed not all are alike; two may both end at once


def test_a_choice_of_one_is_the_likeliest(workshop: Workshop) -> None:
    likeliest = answer(workshop, ask("abc", max_tokens=20, temperature=0.0))
    choices: list[dict[str, Any]] = [{"top_p": 0.0}, {"min_p": 1.0}, {"top_k": 1}]
    assert [answer(workshop, ask("abc", max_tokens=20, seed=1, **choice)) for choice in choices] == [likeliest] * 3


def test_a_penalty_that_it_cannot_compute(workshop: Workshop) -> None:
    with pytest.raises(EngineFailed) as told:
        answer(workshop, ask("abc", repeat_penalty=0.0))
    assert told.value.detail.startswith("'repetition_penalty' must be")
    assert answer(workshop, ask("abc", max_tokens=5, seed=1, temperature=2.0))


def test_a_schema_that_cannot_be_followed_harms_nobody_else(workshop: Workshop) -> None:
    bad, good = replace(ask(), schema=NOWHERE), replace(ask(seed=3), schema={"enum": ["yes", "no"]})
    requests = (ask(max_tokens=50), bad, good)
    workshop.session(HERE, "endless")  # loaded once, before three ask for it
    with ThreadPoolExecutor(3) as threads:
        running = [threads.submit(answer, workshop, request, "endless") for request in requests]
        assert running[0].result()
        assert json.loads(running[2].result()) in ("yes", "no")
        with pytest.raises(InvalidSchema) as told:
            running[1].result()
    assert (told.value.where, "Cannot find field nowhere" in told.value.detail) == ("#", True)


@pytest.mark.parametrize("kind", OPENVINO, ids=str)
def test_an_architecture_that_it_does_not_know(tmp_path: Path, workshop: Workshop, kind: Kind) -> None:
    facts: dict[str, Any] = {f"gemma2.{name}": value for name, value in FACTS.items()}
    facts |= {"general.architecture": "gemma2", "gemma2.attention.layer_norm_rms_epsilon": 1e-5}
    TinyGGUF(dtype="f16", layers=1, metadata=facts).write(workshop.folder / "foreign.gguf")
    with pytest.raises(LoadFailed) as told:
        workshop.load(kind, "foreign")
    assert (told.value.engine, told.value.model) == ("openvino", "foreign.gguf")
    assert told.value.detail == "Unsupported model architecture 'gemma2'"


@pytest.mark.parametrize("cached", [False, True])
def test_a_file_whose_name_does_not_say_what_it_is(workshop: Workshop, tmp_path: Path, cached: bool) -> None:
    blob = tmp_path / f"sha256-{'0' * 64}"
    TinyGGUF(says=SAYS, dtype="f16").write(blob)
    settings = {"cache": str(tmp_path / "cache")} if cached else {}
    for _ in range(2):
        session = engines.load("openvino", [str(blob)], LoadOptions(context=512, settings=settings))
        try:
            said = "".join(event.text for event in session.chat(ask("a", max_tokens=20)) if isinstance(event, Text))
        finally:
            session.close()
        assert said == SAYS
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([blob.name, *(["cache"] if cached else [])])


def test_the_tokenizer_is_kept(workshop: Workshop, tmp_path: Path) -> None:
    def counted(cache: Path) -> int:
        session = openvino.load([workshop.model("says")], LoadOptions(512, settings={"cache": str(cache)}))
        tokens = session.count_tokens(ask("hello there 你"))
        assert "".join(event.text for event in session.chat(ask("hé")) if isinstance(event, Text)) == "Hé 你🙂."
        session.close()
        return tokens

    cache = tmp_path / "made" / "when needed"
    tokens = counted(cache)
    [kept] = cache.glob("openvino-*")
    written = (kept / "openvino_tokenizer.xml").stat().st_mtime_ns
    assert counted(cache) == tokens
    assert (kept / "openvino_tokenizer.xml").stat().st_mtime_ns == written
    (kept / "openvino_tokenizer.xml").write_bytes(b"<net")
    assert counted(cache) == tokens
    assert (kept / "openvino_tokenizer.xml").stat().st_size > 100
    (tmp_path / "file").touch()
    assert counted(tmp_path / "file") == tokens
    assert sorted(path.name for path in workshop.folder.iterdir() if path.suffix != ".gguf") == []


def test_the_weights_are_kept_where_that_is_wanted(workshop: Workshop, tmp_path: Path) -> None:
    def answered(**settings: str) -> str:
        options = LoadOptions(512, settings={"cache": str(tmp_path), **settings})
        session = openvino.load([workshop.model("random")], options)
        events = list(session.chat(ask("abc", max_tokens=20, temperature=0.0)))
        session.close()
        return "".join(event.text for event in events if isinstance(event, Text))

    plain = answered()
    [kept] = tmp_path.glob("openvino-*")
    assert not (kept / "openvino_model.bin").exists()
    assert answered(keep_compiled="1") == plain  # and writes them
    written = (kept / "openvino_model.bin").stat().st_mtime_ns
    assert answered(keep_compiled="1") == plain  # and reads them
    assert (kept / "openvino_model.bin").stat().st_mtime_ns == written
    assert answered() == plain
    assert not (kept / "openvino_model.bin").exists()


@pytest.mark.parametrize("kind", OPENVINO, ids=str)
def test_a_folder_as_openvino_writes_it(workshop: Workshop, kind: Kind, tmp_path: Path) -> None:
    folder = write_openvino(tmp_path, TinyGGUF(says=SAYS, dtype="f16", context=777))
    load = child.load if kind.place == "child" else engines.load
    session = load("openvino", [str(folder / "openvino_model.xml")], LoadOptions(threads=2))
    events = list(session.chat(ask()))
    session.close()
    assert "".join(event.text for event in events if isinstance(event, Text)) == SAYS
    assert session.context == 777


def test_what_is_kept_and_cannot_be_read_is_done_without(workshop: Workshop, tmp_path: Path) -> None:
    file = Path(workshop.model("says"))

    def fill(folder: Path) -> None:
        (folder / "openvino_tokenizer.xml").write_bytes(b"<net")

    def answered() -> str:
        session = openvino.load([str(file)], LoadOptions(512, settings={"cache": str(tmp_path)}))
        events = list(session.chat(ask()))
        session.close()
        return "".join(event.text for event in events if isinstance(event, Text))

    assert answered() == SAYS
    [kept] = tmp_path.glob("openvino-*")
    maker = json.loads((kept / "kept.json").read_text())["source"]["maker"]
    Form(tmp_path, "openvino", file, maker).make(fill)
    assert (kept / "openvino_tokenizer.xml").read_bytes() == b"<net"
    assert answered() == SAYS


@pytest.mark.model
def test_it_counts_as_llama_cpp_does(starter_path: Path) -> None:
    sessions = [load([str(starter_path)], LoadOptions(512, threads=2)) for load in (llamacpp.load, openvino.load)]
    theirs, ours = [[session.count_tokens(ask(text)) for text in TEXTS] for session in sessions]
    for session in sessions:
        session.close()
    assert ours == theirs


@pytest.mark.model
def test_the_answers_of_the_starter_model(starter_path: Path) -> None:
    schema = {"type": "object", "properties": {"n": {"enum": [1, 2]}}, "required": ["n"], "additionalProperties": False}
    session = openvino.load([str(starter_path)], LoadOptions(512, threads=2))
    plain = list(session.chat(ask("The capital of France is", max_tokens=24, temperature=0.0)))
    shaped = list(session.chat(replace(ask("Choose a number.", seed=1, max_tokens=200), schema=schema)))
    session.close()
    assert "France" in "".join(event.text for event in plain if isinstance(event, Text))
    assert validate("".join(event.text for event in shaped if isinstance(event, Text)), schema)
