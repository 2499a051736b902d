"""What Trazo can do and what it cannot: asked, drawn, judged and told, on networks of seconds."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from abierto.errors import CheckpointMissing
from abierto.formats import png
from abierto.recipes.trazo import captions, cards, chain, colors, opening, variants
from abierto.recipes.trazo.captions import Shown
from abierto.recipes.trazo.chain import Workshop
from abierto.recipes.trazo.evaluation import answers, features, intervals, measures, panel, run
from abierto.recipes.trazo.evaluation.counts import Counts
from abierto.recipes.trazo.evaluation.panel import Panel
from abierto.recipes.trazo.evaluation.questions import Asker, Question
from abierto.recipes.trazo.pictures import DataSet
from tests.recipes.tiny_drawings import data_of, finished, settings_of, trained

pytestmark = pytest.mark.filterwarnings("ignore")  # of PyTorch, about itself

FEW = Counts(labels=3, paraphrases=2, keywords=2, pairs=2, styles=1, common=4, real=8, steps=2, portion=5, resamples=50)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A chain of three segments, and a family that is kept from it."""
    folder = tmp_path_factory.mktemp("made")
    settings = settings_of(folder / "archives", judge=True)
    workshop = Workshop(replace(settings, data=replace(settings.data, unseen_pairs=0.5)), folder)
    trained(workshop)
    return workshop


@pytest.fixture(scope="module")
def data(made: Workshop) -> DataSet:
    """Its drawings."""
    return data_of(made)


@pytest.fixture(scope="module")
def judges(made: Workshop, data: DataSet) -> Panel:
    """Who has looked at them."""
    found: Panel = finished(panel.assembled(finished(panel.looked_at(made.settings, data))))
    return found


@pytest.fixture(scope="module")
def folder(made: Workshop, data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an evaluation writes."""
    where = tmp_path_factory.mktemp("evaluated")
    finished(run.evaluate(made, data, where, FEW))
    return where


def asked(made: Workshop, data: DataSet, counts: Counts = FEW) -> list[Question]:
    """The questions."""
    found: list[Question] = finished(Asker(made.settings, data, counts).questions())
    return found


def shares(found: Any) -> Iterator[dict[str, Any]]:
    """Every number with an interval."""
    if isinstance(found, dict):
        if "low" in found:
            yield found
        for one in found.values():
            yield from shares(one)


def test_every_number_has_its_interval_and_tells_what_it_is_of(made: Workshop, data: DataSet, folder: Path) -> None:
    found = json.loads((folder / run.NUMBERS).read_text("utf-8"))
    last = chain.records(made.manifest)[-1]
    assert found["model"]["checkpoint"] == last["to"]
    assert found["data"] == data.digest
    kinds = found["numbers"]["retrieval"]
    assert set(kinds) == set(measures.KINDS)
    assert kinds["label"]["en"]["top1"]["count"] == kinds["label"]["es"]["top1"]["count"] == 3
    numbers = [one for one in shares(found["numbers"]) if one["count"]]
    assert len(numbers) > 50
    assert all(one["low"] <= one["value"] <= one["high"] for one in numbers)
    assert len(found["questions"]) == found["spent"]["pictures"]
    assert run.made(folder, last["sha256"])
    assert not run.made(folder, "another")


def test_the_grid_tells_what_was_asked_and_the_curves_show_every_stage(folder: Path) -> None:
    found = json.loads((folder / run.NUMBERS).read_text("utf-8"))
    said = [one["said"] for one in found["questions"] if one["kind"] == "common"]
    with Image.open(BytesIO((folder / run.GRID).read_bytes())) as grid:
        assert grid.size == (8 * (8 + 4) + 4, 8 + 4 + 4)
    texts = png.texts((folder / run.GRID).read_bytes())
    assert (texts["prompts"].splitlines(), texts["seed"]) == (said, str(found["seed"]))
    curves = ElementTree.fromstring((folder / run.CURVES).read_text("utf-8"))
    words = " ".join(curves.itertext())
    assert all(stage in words for stage in ("autoencoder", "words", "denoiser"))


def test_cards_and_reports_tell_what_was_found_in_both_languages(made: Workshop, data: DataSet, folder: Path) -> None:
    cards.write(made, data, folder)
    opening.declare(made, folder)
    found = json.loads((folder / run.NUMBERS).read_text("utf-8"))["numbers"]
    named = 100 * found["retrieval"]["label"]["all"]["top5"]["value"]
    for language, point in (("en", "."), ("es", ",")):
        told = [(folder / files[language]).read_text("utf-8") for files in (cards.FILES, cards.REPORTS, cards.DATA)]
        assert all(f"{named:.1f} %".replace(".", point) in one for one in told[:2])
        assert not [one for one in told if "{" in one.replace("{{", "").replace("_{", "")]
        assert "curves.svg" in told[1]
        assert "grid.png" in told[1]
        assert "The circle set" in told[2]
    assert "No evaluation" not in (folder / "README.md").read_text("utf-8")
    declared = (folder / opening.DECLARATION).read_text("utf-8")
    assert all(path in declared for path in (run.NUMBERS, run.GRID, "REPORT.md", "DATA.md"))


def test_what_was_measured_of_other_weights_does_not_stay(
    made: Workshop, data: DataSet, folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "model")
    other = Workshop(made.settings, tmp_path)
    for name in ("data", "vocabulary"):
        other.place(name).symlink_to(made.place(name))
    shutil.copytree(made.place("chain"), other.place("chain"))
    finished(chain.extend(other, data, made.settings.segments[-1]))
    cards.write(other, data, tmp_path / "model")
    assert "No evaluation" in (tmp_path / "model" / "README.md").read_text("utf-8")
    left = {path.name for path in (tmp_path / "model").iterdir()}
    assert not left & {run.NUMBERS, run.GRID, *cards.REPORTS.values()}


def test_a_card_tells_what_a_prompt_without_a_style_is_drawn_like(
    made: Workshop, data: DataSet, tmp_path: Path
) -> None:
    other = Workshop(made.settings, tmp_path)
    for name in ("data", "vocabulary"):
        other.place(name).symlink_to(made.place(name))
    shutil.copytree(made.place("chain"), other.place("chain"))
    (tmp_path / "model").mkdir()
    cards.write(other, data, tmp_path / "model")
    assert "no style" not in (tmp_path / "model" / "README.md").read_text("utf-8")
    finished(chain.extend(other, data, replace(made.settings.segments[-1], house="round")))
    cards.write(other, data, tmp_path / "model")
    said = "A prompt that says no style is drawn in that of The circle set"
    assert said in " ".join((tmp_path / "model" / "README.md").read_text("utf-8").split())


def test_an_evaluation_that_is_stopped_goes_on_and_comes_to_the_same(
    made: Workshop, data: DataSet, folder: Path, tmp_path: Path
) -> None:
    other = Workshop(made.settings, tmp_path)
    for name in ("data", "vocabulary", "chain"):
        other.place(name).symlink_to(made.place(name))
    for step in (running := run.evaluate(other, data, tmp_path / "model", FEW)):
        if step.stage == "picture":
            running.close()
    assert len(list(other.place("evaluation").rglob("*.npz"))) == 1
    again = finished(run.evaluate(other, data, tmp_path / "model", FEW))
    first = json.loads((folder / run.NUMBERS).read_text("utf-8"))
    assert again["numbers"] == first["numbers"]
    assert again["questions"] == first["questions"]
    assert again["judges"] == first["judges"]
    assert (tmp_path / "model" / run.GRID).read_bytes() == (folder / run.GRID).read_bytes()


def test_nothing_is_evaluated_before_something_is_trained(made: Workshop, data: DataSet, tmp_path: Path) -> None:
    with pytest.raises(CheckpointMissing):
        finished(run.evaluate(Workshop(made.settings, tmp_path), data, tmp_path / "model", FEW))


def test_both_languages_are_asked_for_the_same_things_from_the_same_noise(made: Workshop, data: DataSet) -> None:
    for kind in ("label", "paraphrase", "keywords", "seen", "unseen"):
        told = [
            [
                (one.concept, one.seed, one.color)
                for one in asked(made, data)
                if (one.kind, one.language) == (kind, language)
            ]
            for language in ("en", "es")
        ]
        assert told[0] == told[1]
        assert told[0]
    said = {one.said for one in asked(made, data)}
    assert {"a picture that shows cat face", "una imagen que muestra cara de gato"} & said


def test_what_is_called_unseen_was_never_shown_and_what_is_called_seen_was(made: Workshop, data: DataSet) -> None:
    shown: dict[str, set[str]] = {}
    for place in data.used_for("train"):
        for number in range(made.settings.data.variants):
            variant = variants.chosen(made.settings, data, place, number)
            pixels = np.asarray(data.pixels[place])
            names = colors.named(colors.turned(pixels, variant.angle) if variant.angle else pixels)
            shown.setdefault(data.drawings[place].concept, set()).update(names)
    pairs = {kind: [one for one in asked(made, data) if one.kind == kind] for kind in ("seen", "unseen")}
    assert all(one.color in shown[one.concept] for one in pairs["seen"])
    assert not any(one.color in shown[one.concept] for one in pairs["unseen"])
    assert all(colors.NAMES[one.color][one.language] in one.said for one in [*pairs["seen"], *pairs["unseen"]])


def test_training_never_says_what_is_called_unseen(made: Workshop, data: DataSet) -> None:
    never = [one for one in asked(made, data) if one.kind in ("paraphrase", "keywords")]
    for language in ("en", "es"):
        words = {"en": "a picture that shows", "es": "una imagen que muestra"}[language]
        shown = Shown(data.concepts["1F431"], {language: ("flat",)}, ("orange",), "white")
        said = {captions.caption(shown, language, np.random.default_rng(seed)) for seed in range(300)}
        assert not [one for one in said if words in one]
        assert all(one.said.startswith(words) for one in never if one.language == language)
    labels = {label for concept in data.concepts.values() for label in concept.labels.values()}
    assert not [one for one in never if one.kind == "keywords" and any(label in one.said for label in labels)]


def test_a_judge_names_things_in_a_style_that_it_has_not_seen(made: Workshop, data: DataSet, judges: Panel) -> None:
    places = data.used_for("train")
    right = [data.drawings[place].concept for place in places]
    seen = answers.seen(judges, panel.on_white(made.settings, data, places), right)
    assert {data.drawings[place].family for place in places} == {"round", "square"}
    assert (seen.apart == 0).all()
    assert seen.taken == right
    assert [names[0] for names in seen.colors] == [colors.named(np.asarray(data.pixels[place]))[0] for place in places]


def test_a_copy_is_told_for_one_and_its_judge_has_not_seen_it(made: Workshop, data: DataSet, judges: Panel) -> None:
    place = data.used_for("train")[-1]
    right = [data.drawings[place].concept]
    copy = answers.seen(judges, panel.on_white(made.settings, data, [place]), right)
    assert copy.neighbor == [place]
    assert max(copy.near[0], copy.near_pixels[0]) < 1e-3
    held = [at for at, one in enumerate(data.drawings) if one.use == "judge"][:1]
    fresh = answers.seen(judges, panel.on_white(made.settings, data, held), [data.drawings[held[0]].concept])
    assert min(fresh.near[0], fresh.near_pixels[0]) > 1e-2
    group = judges.drawings.group(place)
    without = [at for at in range(len(data.drawings)) if judges.drawings.group(at) != group]
    assert judges.others[group].middle.allclose(judges.drawings.shapes[without].mean(0))


def test_a_judge_does_not_mind_where_how_large_and_on_what_ground_a_thing_is(data: DataSet) -> None:
    drawn = []
    for size, left, ground in ((64, 0, "white"), (48, 9, "blue"), (40, 20, "white")):
        picture = Image.new("RGB", (64, 64), variants.BACKGROUNDS[ground])
        disc = Image.new("RGBA", (size, size), (210, 30, 40, 255))
        mask = Image.fromarray(np.uint8(255 * (np.hypot(*(np.mgrid[:size, :size] - size / 2)) < size / 2.2)))
        picture.paste(disc, (left, left // 2), mask)
        drawn.append(np.asarray(picture))
    found = features.framed(torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2).float() / 255)
    for other in found[1:]:
        assert float(((other - found[0]).abs() > 0.5).float().mean()) < 0.1


def test_an_interval_is_narrower_with_more_and_never_certain() -> None:
    few, many = (intervals.share([True, False] * count, 500) for count in (10, 1000))
    assert few["value"] == many["value"] == 0.5
    assert few["high"] - few["low"] > 4 * (many["high"] - many["low"])  # type: ignore[operator]
    assert intervals.share([True] * 30, 500)["low"] == 0.9
    assert intervals.share([False] * 30, 500)["high"] == 0.1
    assert intervals.share([], 500)["value"] is None
    assert intervals.difference([1, 1, 1, 0], [0, 1, 0, 0], 500)["value"] == 0.5
