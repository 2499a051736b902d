"""A model that a Python package holds as a folder: found by its card, drawn with, listed, and missed with a reason."""

import sys
from pathlib import Path

import pytest

from abierto.errors import ModelNotShipped
from abierto.runtime import known
from abierto.runtime.resolve import resolve
from abierto.store import package_folder
from tests.cli.conftest import Abierto, abierto
from tests.tiny_diffusers import TinyDiffusers

__all__ = ["abierto"]
CARD = """name: tiny-draw
title: Tiny
pipeline_tag: text-to-image
license: MIT
package: tiny_draw_folder
defaults: {steps: 3, guidance: 2.5}
"""


@pytest.fixture
def packages(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that Python imports from, with a model in it, and a card of the person's own."""
    (home / "data" / "cards").mkdir(parents=True)
    (home / "data" / "cards" / "tiny-draw.yaml").write_text(CARD, "utf-8")
    place = tmp_path / "packages"
    TinyDiffusers().write(place / "tiny_draw_folder")
    monkeypatch.setenv("PYTHONPATH", str(place))
    monkeypatch.syspath_prepend(str(place))
    return place


def test_it_is_found_by_its_card_and_listed(packages: Path) -> None:
    target = resolve("tiny-draw", packages)
    assert target.files == (str(packages / "tiny_draw_folder" / "model_index.json"),)
    assert (target.format, target.vouched) == ("diffusers_onnx", True)
    [found] = [one for one in known.all_models() if one.name == "tiny-draw"]
    assert (found.task, found.format) == ("draw", "diffusers_onnx")
    assert found.size > 1000
    assert known.named("tiny-draw") == found
    assert "tiny_draw_folder" not in sys.modules


def test_it_draws_as_its_makers_do_where_nothing_is_said(packages: Path, abierto: Abierto) -> None:
    done = abierto("draw", "a red apple", "-m", "tiny-draw", "--json", "-o", str(packages / "a.png"))
    assert '"num_inference_steps": 3' in done.out
    assert '"guidance_scale": 2.5' in done.out
    assert "tiny-draw" in abierto("models", "--all").out


def test_one_that_is_not_there_says_where_it_would_be(packages: Path, abierto: Abierto) -> None:
    (packages / "tiny_draw_folder").rename(packages / "other")
    with pytest.raises(ModelNotShipped):
        resolve("tiny-draw", packages)
    assert not any(one.name == "tiny-draw" for one in known.all_models())
    assert "models/tiny_draw_folder" in abierto("draw", "a", "-m", "tiny-draw").err


def test_a_module_that_is_one_file_is_no_folder() -> None:
    assert package_folder.find("typing_extensions") is None
    assert package_folder.find("no_such_package_at_all") is None
