"""The training of Trazo: segments that can be killed, replayed and proven, and the folder that programs load."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from abierto.errors import CheckpointMissing, CorruptFile, MadeOtherwise, NoGraphicsCard
from abierto.recipes.trazo import chain, hashes, networks, replay, tracing
from abierto.recipes.trazo.chain import Workshop
from abierto.recipes.trazo.published import Published, go_on, keep, publish
from abierto.recipes.trazo.segment import KEPT_EVERY
from tests.conftest import REPOSITORY
from tests.recipes.tiny_drawings import PLAN, data_of, finished, settings_of, trained

pytestmark = pytest.mark.filterwarnings("ignore")  # of PyTorch, about itself


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A chain of three segments: autoencoder, words, denoiser."""
    folder = tmp_path_factory.mktemp("made")
    workshop = Workshop(settings_of(folder / "archives"), folder)
    trained(workshop)
    return workshop


@pytest.fixture(scope="module")
def model(made: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The folder that is published of it."""
    published = Published(tmp_path_factory.mktemp("model"))
    publish(made, data_of(made), published)
    return published


@pytest.fixture
def elsewhere(made: Workshop, tmp_path: Path) -> Workshop:
    """A workshop of somebody who has the archives only."""
    shutil.copytree(made.place("archives"), tmp_path / "archives")
    return Workshop(made.settings, tmp_path)


def replayed(workshop: Workshop, model: Published, number: int | None = None) -> replay.Outcome:
    """Replay a segment without a network."""
    outcome: replay.Outcome = finished(replay.replay(workshop, model, number, "http://127.0.0.1:9"))
    return outcome


def test_each_segment_begins_where_the_one_before_it_ended_and_changes_what_it_trains(made: Workshop) -> None:
    records = chain.records(made.manifest)
    assert [record["plan"]["stage"] for record in records] == ["autoencoder", "words", "denoiser"]
    for earlier, later in pairwise(records):
        assert later["from"] == earlier["to"]
        assert later["previous"] == earlier["sha256"]
    changed = [{name for name in record["to"] if record["to"][name] != record["from"][name]} for record in records]
    assert changed == [
        {"vae.safetensors", "scale.json"},
        {"text_encoder.safetensors"},
        {"text_encoder.safetensors", "unet.safetensors"},
    ]
    assert all(len(record["loss"]) == 1 and record["processor"]["threads"] == 1 for record in records)


def test_a_replay_by_somebody_else_is_the_same_bit_for_bit(elsewhere: Workshop, model: Published) -> None:
    last = replayed(elsewhere, model)
    assert (last.number, last.exact, last.distance, last.same) == (3, True, 0.0, True)
    assert replayed(elsewhere, model, 1).exact
    with pytest.raises(CheckpointMissing):
        replayed(elsewhere, model, 2)
    with pytest.raises(CheckpointMissing):
        replayed(elsewhere, model, 4)


def test_another_number_of_threads_comes_to_the_same_place(made: Workshop, tmp_path: Path) -> None:
    """Not always bit for bit: sums are added in another order."""
    plan = replace(made.settings.segments[1], threads=2)
    record = finished(chain.play(made, data_of(made), plan, 2, tmp_path / "two"))
    assert record["loss"] == pytest.approx(chain.records(made.manifest)[1]["loss"], rel=replay.COURSE)
    weights = [networks_of(folder) for folder in (made.checkpoint(1), made.checkpoint(2), tmp_path / "two")]
    start, one, two = (np.concatenate([value.ravel() for value in found.values()]) for found in weights)
    assert np.linalg.norm(one - two) <= replay.TOLERANCE * np.linalg.norm(one - start)


def test_a_segment_that_is_killed_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    steps = KEPT_EVERY + 8
    places = [tmp_path / name for name in ("killed", "whole")]
    command = [sys.executable, "-m", "tests.recipes.tiny_training", str(places[0]), str(steps)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as child:
        assert child.stdout is not None
        while int(child.stdout.readline()) < KEPT_EVERY + 2:
            pass
        child.kill()
    assert not (places[0] / "chain" / chain.MANIFEST).exists()
    plan = replace(PLAN, steps=steps)
    records = [trained(Workshop(settings_of(place / "archives", plan), place))[0] for place in places]
    assert records[0]["to"] == records[1]["to"]
    assert records[0]["loss"] == records[1]["loss"]
    assert not list((places[0] / "state").rglob("*.pt"))


def test_a_plan_may_let_strong_noise_weigh_as_much_as_weak(made: Workshop, tmp_path: Path) -> None:
    """No weight of min-SNR reaches one, so that the same errors come to more."""
    plan = replace(made.settings.segments[-1], even=True)
    record = finished(chain.play(made, data_of(made), plan, 3, tmp_path / "003"))
    assert record["loss"][0] > chain.records(made.manifest)[-1]["loss"][0]
    assert record["plan"]["even"]


def test_captions_alone_may_teach_what_pictures_to_expect_of_them(made: Workshop, tmp_path: Path) -> None:
    """The text encoder learns, and whatever it learned it with is in no checkpoint."""
    plan = replace(made.settings.segments[-1], stage="sketch", steps=60, batch=8, rate=1e-2)
    record = finished(chain.play(made, data_of(made), plan, 3, tmp_path / "003"))
    assert record["loss"][-1] < record["loss"][0]
    changed = {name for name, sha256 in record["to"].items() if record["from"][name] != sha256}
    assert changed == {"text_encoder.safetensors"}


def test_a_plan_may_let_matrices_learn_by_muon(made: Workshop, tmp_path: Path) -> None:
    """What is learned is another thing, a replay of it the same, and a stop changes nothing."""
    plan = replace(made.settings.segments[-1], stage="sketch", steps=KEPT_EVERY + 2, batch=8, muon=1e-2)
    places = [tmp_path / name for name in ("muon", "again", "stopped", "adam")]
    with closing(chain.play(made, data_of(made), plan, 3, places[2])) as stopped:
        for progress in stopped:
            if progress.done == KEPT_EVERY + 1:
                break
    plans = (plan, plan, plan, replace(plan, muon=0.0))
    records = [
        finished(chain.play(made, data_of(made), one, 3, place)) for one, place in zip(plans, places, strict=True)
    ]
    assert records[0]["to"] == records[1]["to"] == records[2]["to"] != records[3]["to"]
    assert records[0]["loss"][-1] < records[0]["loss"][0]
    assert records[0]["plan"]["muon"] == plan.muon


def test_a_plan_may_show_some_things_more_often_and_drawings_as_they_are(made: Workshop, tmp_path: Path) -> None:
    """Each changes what is learned. Everyday things have names of one or two words in both languages."""
    data = data_of(made)
    assert [data.concepts[key].labels["en"] for key in data.everyday()] == ["red apple"]
    plan = replace(made.settings.segments[-1], steps=8)  # two rounds
    changes: tuple[dict[str, Any], ...] = ({}, {"plain": 1.0}, {"everyday": 3}, {"strong": 1.0}, {"house": "round"},
                                           {"house": "round", "housed": 3}, {"variants": 1})  # fmt: skip
    made_of = [
        finished(chain.play(made, data, replace(plan, **change), 3, tmp_path / str(at)))["to"]["unet.safetensors"]
        for at, change in enumerate(changes)
    ]
    assert len(set(made_of)) == len(changes)


def test_a_decoder_that_learns_more_changes_no_latents(elsewhere: Workshop) -> None:
    denoiser, decoder = replace(PLAN, stage="denoiser"), replace(PLAN, trains=("decoder",))
    workshop = Workshop(replace(elsewhere.settings, segments=(PLAN, denoiser, decoder, denoiser)), elsewhere.folder)
    records = trained(workshop)
    assert records[2]["to"]["vae.safetensors"] != records[2]["from"]["vae.safetensors"]
    assert records[2]["to"]["scale.json"] == records[2]["from"]["scale.json"]
    assert len(list(workshop.place("latents").iterdir())) == 1
    before, after = (networks_of(workshop.checkpoint(number)) for number in (2, 3))
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("vae.decoder.") for name in changed)


def test_training_on_a_card_that_is_not_there_says_so(elsewhere: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    plan = replace(PLAN, device="cuda")
    with pytest.raises(NoGraphicsCard):
        trained(Workshop(replace(elsewhere.settings, segments=(plan,)), elsewhere.folder))
    assert not elsewhere.manifest.exists()


@pytest.mark.parametrize("name", ["unet/diffusion_pytorch_model.safetensors", "records/before.xz"])
def test_a_changed_byte_is_found(elsewhere: Workshop, model: Published, tmp_path: Path, name: str) -> None:
    copy = Published(tmp_path / "copy")
    shutil.copytree(model.folder, copy.folder)
    content = bytearray((copy.folder / name).read_bytes())
    content[-20] ^= 1
    (copy.folder / name).write_bytes(content)
    with pytest.raises(CorruptFile):
        replayed(elsewhere, copy)


Change = Callable[[list[dict[str, Any]]], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda records: records[1].update(seed=7),
        lambda records: records.pop(1),
        lambda records: records[0].update(seed=7, sha256=hashes.digest({**records[0], "seed": 7})),
    ],
)
def test_a_changed_record_is_found(elsewhere: Workshop, model: Published, tmp_path: Path, change: Change) -> None:
    copy = Published(tmp_path / "copy")
    shutil.copytree(model.folder, copy.folder)
    body = json.loads(copy.manifest.read_text("utf-8"))
    change(body["segments"])
    copy.manifest.write_text(json.dumps(body), "utf-8")
    with pytest.raises(CorruptFile):
        replayed(elsewhere, copy)


def test_weights_that_were_trained_otherwise_are_found_from_another_processor_too(
    elsewhere: Workshop, made: Workshop, tmp_path: Path
) -> None:
    """Where no bit has to be the same: the losses went another course, and the weights another way."""
    last = made.settings.segments[-1]
    plans = (*made.settings.segments[:-1], replace(last, rate=20 * last.rate))
    other = Workshop(replace(made.settings, segments=plans), tmp_path / "other")
    shutil.copytree(made.place("archives"), other.place("archives"))
    records = trained(other)
    records[-1].update(plan=asdict(last), processor={**records[-1]["processor"], "model": "another"})
    records[-1]["sha256"] = hashes.digest({name: fact for name, fact in records[-1].items() if name != "sha256"})
    chain.write_manifest(other.manifest, "trazo", records)
    published = Published(tmp_path / "published")
    publish(other, data_of(other), published)
    found = replayed(elsewhere, published)
    assert (found.exact, found.same, found.other, found.proven) == (False, False, "processor", False)
    assert found.course > replay.COURSE
    assert found.distance > replay.TOLERANCE


def test_a_replay_says_when_it_does_not_begin_from_the_same(elsewhere: Workshop, model: Published) -> None:
    other = Workshop(replace(elsewhere.settings, seed=2), elsewhere.folder)
    with pytest.raises(MadeOtherwise) as problem:
        replayed(other, model)
    assert problem.value.facts["what"] == "settings"


def test_training_goes_on_elsewhere_from_a_checkpoint_that_is_only_kept(elsewhere: Workshop, tmp_path: Path) -> None:
    first = Workshop(replace(elsewhere.settings, segments=elsewhere.settings.segments[:1]), tmp_path / "first")
    shutil.copytree(elsewhere.place("archives"), first.place("archives"))
    records = trained(first)
    kept = Published(tmp_path / "kept")
    keep(first, data_of(first), kept)
    assert not kept.whole
    card = (kept.folder / "README.md").read_text("utf-8")
    assert "draws nothing" in card
    assert "| 1 | autoencoder | 4 | 8 |" in card
    assert records[0]["sha256"] in card
    assert "no dibuja nada" in (kept.folder / "README.es.md").read_text("utf-8")
    assert replayed(elsewhere, kept).exact
    assert (kept.records / "checkpoint.xz").stat().st_size < first.checkpoint(1).joinpath(
        "unet.safetensors"
    ).stat().st_size
    other = Workshop(elsewhere.settings, tmp_path / "other")
    shutil.copytree(elsewhere.place("archives"), other.place("archives"))
    assert go_on(kept, other) == records
    assert trained(other)[1]["from"] == records[0]["to"]


def test_training_goes_on_from_what_is_published(elsewhere: Workshop, made: Workshop, model: Published) -> None:
    further = Workshop(replace(made.settings, segments=(*made.settings.segments, PLAN)), elsewhere.folder)
    assert len(go_on(model, further)) == 3
    records = trained(further)
    assert len(records) == 4
    assert records[3]["from"] == chain.records(made.manifest)[2]["to"]


def networks_of(folder: Path) -> dict[str, Any]:
    """The weights of all three networks of a checkpoint."""
    return {
        f"{part}.{name}": value
        for part in networks.PARTS
        for name, value in replay.weights(folder / f"{part}.safetensors").items()
    }


def test_diffusers_loads_the_folder_and_both_forms_compute_the_same(made: Workshop, model: Published) -> None:
    import onnxruntime
    import torch
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(str(model.folder))
    random = np.random.default_rng(0)
    tokens = pipeline.tokenizer(["cat", "una ola"], padding="max_length", return_tensors="pt").input_ids
    latent = random.standard_normal((2, 4, 4, 4), np.float32)
    with torch.no_grad():
        words = pipeline.text_encoder(tokens).last_hidden_state
        noise = pipeline.unet(torch.from_numpy(latent), torch.tensor([9]), words).sample
        picture = pipeline.vae.decode(torch.from_numpy(latent)).sample
        hidden = pipeline.vae.encode(picture).latents
    assert pipeline.vae.config.scaling_factor == json.loads((made.checkpoint(3) / chain.SCALE).read_text())["scale"]
    given: list[tuple[str, dict[str, Any], Any]] = [
        ("text_encoder", {"input_ids": tokens.numpy()}, words),
        ("unet", {"sample": latent, "timestep": np.array([9]), "encoder_hidden_states": words.numpy()}, noise),
        ("vae_decoder", {"latent_sample": latent}, picture),
        ("vae_encoder", {"sample": picture.numpy()}, hidden),
    ]
    for name, inputs, expected in given:
        session = onnxruntime.InferenceSession(str(model.folder / "onnx" / f"{name}.onnx"))
        assert np.allclose(session.run(None, inputs)[0], expected.numpy(), atol=1e-4), name
    assert "draws nothing" not in (model.folder / "README.md").read_text("utf-8")
    drawn = pipeline("gato", num_inference_steps=2, height=8, width=8, output_type="np").images
    assert drawn.shape == (1, 8, 8, 3)


def test_an_image_is_traced_to_the_drawings_it_is_like(made: Workshop, model: Published, tmp_path: Path) -> None:
    data = data_of(made)
    Image.fromarray(np.asarray(data.pixels[3])).save(tmp_path / "wave.png")
    found = tracing.trace((tmp_path / "wave.png").read_bytes(), model.folder, 3)
    assert [one.measure for one in found] == ["latents"] * 3 + ["pixels"] * 3
    for nearest in (found[0], found[3]):
        assert nearest.likeness > 0.97
        assert (nearest.labels["es"], nearest.icon) == ("ola de mar", "water-wave")
        assert (nearest.family, nearest.author, nearest.license) == ("The circle set", "Ana", "MIT")
    command = [sys.executable, "-m", "abierto", "trace", str(tmp_path / "wave.png"), "--published", str(model.folder)]
    shown = subprocess.run([*command, "--count", "1"], capture_output=True, text=True, encoding="utf-8", check=True)
    assert "water wave" in shown.stdout
    assert "The circle set" in shown.stdout
