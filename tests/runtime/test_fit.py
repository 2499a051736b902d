"""What fits is decided before anything is loaded, from the header and the memory of this computer."""

import json
from pathlib import Path

import pytest

from abierto import catalog, machine
from abierto.config import Settings
from abierto.errors import NotEnoughMemory, OptionOutOfRange
from abierto.formats import footprint, footprint_openvino, openvino_model
from abierto.formats.gguf import read_header
from abierto.runtime.choice import Variant
from abierto.runtime.fit import MB, plan, plan_first, size_of, smaller_models
from abierto.runtime.resolve import Target, resolve
from tests.tiny_gguf import TinyGGUF


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """A model whose context can be so long that it takes hundreds of megabytes."""
    path = TinyGGUF(context=200_000, layers=2).write(tmp_path / "long.gguf")
    return resolve(str(path), tmp_path / "models")


def _margin_that_leaves(room: int) -> Settings:
    """Settings with which about so many bytes are free for a model."""
    return Settings(memory_margin=(machine.memory().available - room) // MB)


def test_nobody_asked_so_the_usual_context_is_taken(target: Target) -> None:
    assert plan(target, 0, Settings()).context == 8192


def test_what_was_asked_for_is_taken(target: Target) -> None:
    assert plan(target, 100_000, Settings()).context == 100_000
    assert plan(target, 0, Settings(context=1234)).context == 1234


def test_a_setting_beyond_what_a_model_knows_is_cut_and_an_option_is_refused(target: Target) -> None:
    assert plan(target, 0, Settings(context=10**9)).context == 200_000
    with pytest.raises(OptionOutOfRange) as caught:
        plan(target, 10**9, Settings())
    assert caught.value.high == 200_000


def test_a_context_that_does_not_fit_is_refused_with_one_that_does(target: Target) -> None:
    header = read_header(target.files[0])
    room = (footprint.estimate(header, 50_000).total + footprint.estimate(header, 150_000).total) // 2
    with pytest.raises(NotEnoughMemory) as caught:
        plan(target, 150_000, _margin_that_leaves(room))
    assert 50_000 < caught.value.fits_context < 150_000
    assert caught.value.needed > room


def test_a_model_of_openvino_is_planned_by_its_own_files(tmp_path: Path) -> None:
    config = {"num_hidden_layers": 90, "num_attention_heads": 64, "hidden_size": 8192, "max_position_embeddings": 9000}
    (tmp_path / "openvino_model.xml").write_text('<?xml version="1.0"?><net name="Model0" version="11"/>')
    (tmp_path / "openvino_model.bin").write_bytes(bytes(1000))
    (tmp_path / "config.json").write_text(json.dumps(config))
    wide = resolve(str(tmp_path), tmp_path / "models")
    assert (wide.name, wide.format) == (tmp_path.name, "openvino")
    known = openvino_model.read(wide.files[0])
    room = (known.footprint(1024).total + known.footprint(2048).total) // 2
    assert 512 < plan(wide, 0, _margin_that_leaves(room)).context < 2048
    with pytest.raises(NotEnoughMemory) as caught:
        plan(wide, 8192, _margin_that_leaves(room))
    assert 512 < caught.value.fits_context < 2048
    with pytest.raises(OptionOutOfRange):
        plan(wide, 9001, Settings())


def test_a_model_that_does_not_fit_at_all_offers_smaller_ones(target: Target) -> None:
    with pytest.raises(NotEnoughMemory) as caught:
        plan(target, 0, _margin_that_leaves(0))
    assert caught.value.fits_context == 0


def test_only_models_that_chat_are_offered_in_place_of_one_that_does_not_fit() -> None:
    sizes = (min((form.size or 0 for form in card.weights.values()), default=0) for card in catalog.cards().values())
    offered = {name for room in sizes for name in smaller_models(room + 1, 10**12)}
    assert offered
    found = [catalog.find_form(name)[0] for name in offered]
    assert all(card and card.chats for card in found)


def test_without_a_wish_the_context_shrinks_until_it_fits(tmp_path: Path) -> None:
    path = TinyGGUF(context=8192, layers=8, embedding=512, heads=8, heads_kv=8, feed_forward=64).write(
        tmp_path / "w.gguf"
    )
    wide = resolve(str(path), tmp_path / "models")
    header = read_header(path)
    room = (footprint.estimate(header, 2048).total + footprint.estimate(header, 8192).total) // 2
    found = plan(wide, 0, _margin_that_leaves(room))
    assert 2048 < found.context < 8192


def test_each_engine_is_planned_by_its_own_formula(target: Target) -> None:
    header = read_header(target.files[0])
    for engine, formula in (("llamacpp", footprint), ("openvino", footprint_openvino)):
        assert plan(target, 4096, Settings(), 1, engine).estimate == formula.estimate(header, 4096).total


def test_an_engine_that_has_too_little_memory_gives_way_to_one_that_needs_less(target: Target) -> None:
    variants = [Variant("openvino"), Variant("llamacpp")]
    # With 200,000 tokens the cache of 8 bits needs less than the one of 16, and computing more.
    needs = {name: size_of(target, 1, name).estimate(200_000).total for name in ("openvino", "llamacpp")}
    assert needs["openvino"] > needs["llamacpp"] + 200 * MB
    room = sum(needs.values()) // 2
    left, fitted = plan_first(target, variants, 200_000, _margin_that_leaves(room), 1)
    assert [variant.engine for variant in left] == ["llamacpp"]
    assert fitted.estimate == needs["llamacpp"]
    assert plan_first(target, variants, 200_000, Settings(), 1)[0] == variants
    with pytest.raises(NotEnoughMemory) as caught:
        plan_first(target, variants, 200_000, _margin_that_leaves(0), 1)
    assert caught.value.needed == needs["llamacpp"]
