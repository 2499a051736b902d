"""A model that a Python package holds as a folder: found by its card, drawn with, listed, and missed with a reason."""

import sys
from pathlib import Path

import pytest

from abierto.errors import ModelNotShipped
from abierto.runtime import drawing, known
from abierto.runtime.openness import of_model
from abierto.runtime.resolve import resolve
from abierto.store import package_folder
from tests.cli.conftest import Abierto, abierto, forked
from tests.shipped import DRAWS
from tests.tiny_diffusers import TinyDiffusers

__all__ = ["abierto", "forked"]
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


def test_one_that_is_not_there_is_offered_nowhere_and_can_still_be_asked_about(
    packages: Path, abierto: Abierto
) -> None:
    assert set(drawing.able()) == {"echo", *DRAWS, "tiny-draw"}
    assert "tiny-draw" in abierto("recommend", "draw").out
    (packages / "tiny_draw_folder" / "model_index.json").unlink()
    (packages / "tiny_draw_folder" / "README.md").write_text(
        "# Tiny\n\n## Limitations\n\n" + "It is tiny. " * 20, "utf-8"
    )
    assert drawing.able() == ["echo", *DRAWS]
    assert "tiny-draw" not in abierto("recommend", "draw").out
    assert "not in this installation" in abierto("show", "tiny-draw").out
    [line] = [line for line in abierto("models", "--all").out.splitlines() if line.startswith("tiny-draw\t")]
    assert "not in this installation" in line
    found = of_model("tiny-draw").inventory
    assert (found["model_card"].status, found["inference_code"].status) == ("present", "not_shown")
    assert "limitations" in found.notes
    (packages / "tiny_draw_folder").rename(packages / "other")
    assert of_model("tiny-draw").inventory["weights"].status == "not_shown"


def test_the_model_that_is_made_here_has_a_card_that_its_folder_speaks_for() -> None:
    report = of_model("trazo")
    assert report.inventory.name == "trazo"
    assert report.inventory["model_card"].where[0].place == "README.md"
    assert {said.license for said in report.inventory.licenses} == {"Apache-2.0"}


def test_a_module_that_is_one_file_is_no_folder() -> None:
    assert package_folder.find("typing_extensions") is None
    assert package_folder.find("no_such_package_at_all") is None
