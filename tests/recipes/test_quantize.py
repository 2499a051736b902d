"""Files of every kind that can be made still say what the original said; names, parts, and what a card inherits."""

from pathlib import Path

import pytest

from abierto import catalog
from abierto.formats.gguf import read_header
from abierto.recipes import quantize
from abierto.recipes.mixtures import MIXTURES
from abierto.runtime.model import load
from abierto.tasks.chat import ChatRequest, Message, Sampling
from abierto.tasks.events import Text
from tests.formats.test_split import split
from tests.recipes.conftest import finished
from tests.tiny_gguf import TinyGGUF

SAYS = "Hé 你🙂."
GREEDY = Sampling(temperature=0.0, max_tokens=40)


def said(name: str) -> str:
    """What a model answers."""
    with load(name) as model:
        events = list(model.run(ChatRequest((Message("user", "hello"),), GREEDY)))
    return "".join(event.text for event in events if isinstance(event, Text))


@pytest.mark.parametrize("kind", MIXTURES)
def test_a_file_of_every_kind_says_what_the_original_says(tmp_path: Path, kind: str) -> None:
    path = TinyGGUF(says=SAYS, embedding=256, heads=4, context=512).write(tmp_path / "tiny.gguf")
    record = finished(quantize.quantize(quantize.open_original(str(path)), kind, "made"))
    assert said("made") == SAYS
    header = read_header(record.files[0].path)
    assert header.file_type == MIXTURES[kind].file_type
    most = {tensor.dtype for tensor in header.tensors if tensor.name.endswith(("attn_q.weight", "ffn_up.weight"))}
    assert most == {MIXTURES[kind].dtype if header.embedding_length % 256 == 0 else "F16"}


def test_a_made_model_can_be_made_into_another(tmp_path: Path) -> None:
    path = TinyGGUF(says=SAYS, embedding=256).write(tmp_path / "tiny.gguf")
    finished(quantize.quantize(quantize.open_original(str(path)), "q6_k", "first"))
    finished(quantize.quantize(quantize.open_original("first"), "q4_k_m", "second"))
    assert said("second") == SAYS
    first, second = catalog.find("first"), catalog.find("second")
    assert first is not None
    assert second is not None
    assert second.lineage["sha256"] == first.weights["q6_k"].sha256
    assert (second.lineage["base"], second.lineage["from_type"]) == ("first", "Q6_K")


def test_a_model_in_several_files_becomes_one(tmp_path: Path) -> None:
    parts = split(tmp_path)
    record = finished(quantize.quantize(quantize.open_original(parts[0]), "f32", "joined"))
    joined = read_header(record.files[0].path)
    assert joined.split_count == 1
    assert {tensor.name for tensor in joined.tensors} == set(TinyGGUF()._weights())
    whole = TinyGGUF().write(tmp_path / "whole.gguf")
    finished(quantize.quantize(quantize.open_original(str(whole)), "f32", "whole"))
    assert said("joined") == said("whole")
    card = catalog.find("joined")
    assert card is not None
    assert [key for key in card.lineage if key.startswith("sha256 ")] == [f"sha256 {Path(part).name}" for part in parts]


def test_what_has_the_type_already_is_copied_bit_for_bit(tmp_path: Path) -> None:
    path = TinyGGUF(embedding=256).write(tmp_path / "tiny.gguf")
    one = finished(quantize.quantize(quantize.open_original(str(path)), "q8_0", "one")).files[0].path
    two = finished(quantize.quantize(quantize.open_original("one"), "q8_0", "two")).files[0].path
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("original", "name"),
    [
        ("smollm2:135m", "smollm2:135m-q4_0"),
        ("Qwen3-4B.Q8_0", "qwen3-4b-q4_0"),
        ("qwen3:4b:q8_0", "qwen3:4b-q4_0"),
        ("ana/Tiny Model-bf16", "tiny-model-q4_0"),
        ("model-iq4_xs", "model-q4_0"),
    ],
)
def test_a_name_tells_the_new_kind_in_place_of_the_old(original: str, name: str) -> None:
    assert quantize.default_name(original, "q4_0") == name
