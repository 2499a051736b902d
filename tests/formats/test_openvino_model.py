"""What the folder of an OpenVINO model says about itself, true or not."""

import json
from pathlib import Path
from typing import Any

import pytest

from abierto.errors import CorruptFile, NotAModel
from abierto.formats import openvino_model
from abierto.formats.detect import detect

CONFIG = {"num_hidden_layers": 4, "num_attention_heads": 8, "num_key_value_heads": 2, "hidden_size": 512}
TOKEN = 2 * 4 * 2 * (512 // 8 + 8)


def folder(place: Path, config: Any = None, *, main: str = "openvino_model") -> Path:
    """A folder with a network of no layers."""
    (place / f"{main}.xml").write_text('<?xml version="1.0"?>\n<net name="Model0" version="11">\n</net>\n')
    (place / f"{main}.bin").write_bytes(bytes(1000))
    if config is not None:
        (place / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return place / f"{main}.xml"


@pytest.mark.parametrize("main", ["openvino_model", "openvino_language_model"])
def test_a_folder_is_known_by_its_main_file(tmp_path: Path, main: str) -> None:
    assert openvino_model.main_file(tmp_path) is None
    path = folder(tmp_path, main=main)
    assert openvino_model.main_file(tmp_path) == path
    assert detect(path) == "openvino"


def test_sizes_are_read(tmp_path: Path) -> None:
    path = folder(tmp_path, {**CONFIG, "max_position_embeddings": 4096})
    (tmp_path / "openvino_tokenizer.bin").write_bytes(bytes(24))
    found = openvino_model.read(path)
    assert (found.context_length, found.weights_size, found.token_size) == (4096, 1024, TOKEN)
    assert found.footprint(1000, 2).total - found.footprint(0).total == 2000 * TOKEN
    assert found.largest_context(found.footprint(1000).total) == 768
    assert found.largest_context(found.footprint(10_000).total) == 4096
    assert found.largest_context(found.footprint(0).total - 1) == 0


def test_the_part_for_language_of_a_model_that_sees(tmp_path: Path) -> None:
    config = {"num_hidden_layers": 99, "text_config": {**CONFIG, "head_dim": 100, "max_position_embeddings": 512}}
    found = openvino_model.read(folder(tmp_path, config))
    assert (found.context_length, found.token_size) == (512, 2 * 4 * 2 * 108)


@pytest.mark.parametrize(
    "config",
    ["", "[]", "7", "[" * 100_000, '{"text_config": 1}', {"max_position_embeddings": -1}, {"head_dim": "x"},
     {**CONFIG, "num_hidden_layers": 10**9}, {**CONFIG, "num_attention_heads": True, "num_key_value_heads": 0}],
)  # fmt: skip
def test_sizes_that_cannot_be_true_are_unknown(tmp_path: Path, config: Any) -> None:
    found = openvino_model.read(folder(tmp_path, config))
    assert (found.context_length, found.token_size) == (None, 0)
    assert found.largest_context(10**12) == 0


def test_a_network_without_weights(tmp_path: Path) -> None:
    path = folder(tmp_path)
    path.with_suffix(".bin").unlink()
    with pytest.raises(CorruptFile) as told:
        openvino_model.read(path)
    assert (told.value.fault, told.value.about) == ("no_weights", {"file": "openvino_model.bin"})


@pytest.mark.parametrize("text", ["<?xml version='1.0'?><a/>", "<net>", "", '<net name="x">'])
def test_other_documents_are_no_networks(tmp_path: Path, text: str) -> None:
    path = tmp_path / "openvino_model.xml"
    path.write_text(text)
    with pytest.raises(NotAModel):
        openvino_model.read(path)
