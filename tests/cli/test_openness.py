"""`abierto openness`: the report, its other forms, and what cannot be reported."""

import json
from pathlib import Path

from tests.cli.conftest import Abierto


def folder(tmp_path: Path) -> Path:
    """A model's folder: a card and weights."""
    made = tmp_path / "a model"
    made.mkdir()
    (made / "README.md").write_text("---\nlicense: mit\npipeline_tag: text-generation\n---\n# A model\n", "utf-8")
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (made / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    return made


def test_a_card_of_the_catalog_is_reported_in_both_languages(abierto: Abierto) -> None:
    english, spanish = (abierto("openness", "qwen3:4b", ABIERTO_LANGUAGE=one) for one in ("en", "es"))
    assert english.status == spanish.status == 0
    assert "Apache-2.0" in english.out
    assert "Model Openness Framework" in english.out
    assert "The four freedoms" in english.out
    assert "Las cuatro libertades" in spanish.out


def test_each_form_is_written_whole(abierto: Abierto, tmp_path: Path) -> None:
    model = str(folder(tmp_path))
    report = json.loads(abierto("openness", model, "--json").out)
    assert report["version"] == 1
    assert report["inventory"]["licenses"][0]["license"] == "MIT"
    assert json.loads(abierto("openness", model, "--spdx").out)["@graph"]
    assert json.loads(abierto("openness", model, "--cyclonedx").out)["specVersion"] == "1.7"
    assert abierto("openness", model, "--html").out.startswith("<!doctype html>")
    assert abierto("openness", model, "--badge").out.startswith("<svg ")
    assert "license: MIT" in abierto("openness", model, "--yaml", "mot").out


def test_two_models_are_compared(abierto: Abierto, tmp_path: Path) -> None:
    model = str(folder(tmp_path))
    done = abierto("openness", model, "--compare", "qwen3:4b")
    assert "MIT → Apache-2.0" in done.out
    body = json.loads(abierto("openness", model, "--compare", "qwen3:4b", "--json").out)
    assert body["second"] == "qwen3:4b"
    assert {"section": "licenses", "key": "stated", "kind": "words", "first": "MIT", "second": "Apache-2.0"} in body[
        "changes"
    ]
    assert "Nothing differs." in abierto("openness", model, "--compare", model).out


def test_what_makes_no_sense_is_refused(abierto: Abierto) -> None:
    both = abierto("openness", "qwen3:4b", "--json", "--html")
    assert (both.status, "--json" in both.err, "--html" in both.err) == (2, True, True)
    page = abierto("openness", "qwen3:4b", "--html", "--compare", "qwen3:8b")
    assert (page.status, "--compare" in page.err) == (2, True)
    other = abierto("openness", "qwen3:4b", "--yaml", "xml")
    assert (other.status, "--yaml" in other.err) == (2, True)
    unknown = abierto("openness", "no-such-model")
    assert unknown.status == 3
    assert "no-such-model" in unknown.err
