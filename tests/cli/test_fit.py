"""`abierto fit`: what a person and a program are told before a model is loaded or fetched."""

import json
import os
from pathlib import Path

import psutil
import pytest

from abierto import config
from abierto.cli.fit import BAR, bar
from abierto.journal import Journal
from tests.cli.conftest import Abierto
from tests.tiny_gguf import TinyGGUF
from tests.tiny_pipeline import pipeline
from tests.tiny_voice import TinyVoice


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """A small file whose context can be long, and takes 66 kB for each token."""
    wide = {"llama.attention.key_length": 8192 // 2, "llama.attention.value_length": 8192 // 2}
    return str(TinyGGUF(context=200_000, metadata=wide).write(tmp_path / "tiny.gguf"))


def test_a_file_is_told_in_parts_for_each_engine(abierto: Abierto, tiny: str) -> None:
    done = abierto("fit", tiny, "--context", "2048")
    assert done.status == 0, done.err
    rows = [line.split("\t") for line in done.out.splitlines() if "\t" in line]
    assert [row[1] for row in rows if row[0] == "llamacpp"][:5] == [
        "weights", "conversations", "computing", "engine", "sum"
    ]  # fmt: skip
    assert "llamacpp: fits." in done.out


def test_numbers_for_a_program(abierto: Abierto, tiny: str) -> None:
    one = json.loads(abierto("fit", tiny, "--context", "2048", "--json").out)
    four = json.loads(abierto("fit", tiny, "--context", "2048", "--users", "4", "--json").out)
    assert (one["told_by"], one["context"], one["trained"], four["users"]) == ("header", 2048, 200_000, 4)
    [alone], [together] = ([fit for fit in body["fits"] if fit["engine"] == "llamacpp"] for body in (one, four))
    assert together["footprint"]["kv_cache"] == 4 * alone["footprint"]["kv_cache"]
    parts = [alone["footprint"][part] for part in ("weights", "kv_cache", "compute", "overhead")]
    assert alone["footprint"]["total"] == sum(parts)
    assert alone["verdict"]["word"] == "fits"


def test_a_context_that_fits_is_named_where_the_wanted_one_does_not(abierto: Abierto, tiny: str) -> None:
    header = json.loads(abierto("fit", tiny, "--context", "50000", "--json").out)
    needed = header["fits"][0]["footprint"]["total"]
    margin = str((psutil.virtual_memory().available - needed // 2) // 1_000_000)
    done = abierto("fit", tiny, "--context", "50000", ABIERTO_MEMORY_MARGIN=margin)
    assert done.status == 0
    assert "fits with a context of at most" in done.out
    assert "more than the" in done.out


def test_a_model_for_which_other_programs_leave_too_little(abierto: Abierto, tiny: str) -> None:
    margin = str(psutil.virtual_memory().total // 1_000_000)
    done = json.loads(abierto("fit", tiny, "--json", ABIERTO_MEMORY_MARGIN=margin).out)
    word = done["fits"][0]["verdict"]
    assert word["word"] in ("needs_more_free", "needs_more")
    assert word["missing"] > 0


def test_a_card_that_is_not_here_is_an_estimate_with_a_quantisation(abierto: Abierto) -> None:
    done = abierto("fit", "granite3.3:8b")
    assert done.status == 0, done.err
    assert "an estimate by its card" in done.out
    assert "Quantisation to take: granite3.3:8b:" in done.out
    body = json.loads(abierto("fit", "granite3.3:8b:q8_0", "--json").out)
    assert (body["told_by"], body["form"]) == ("card", "q8_0")
    assert body["choice"]["reason"]


def test_a_card_that_tells_its_blocks_foretells_conversations_before_any_download(abierto: Abierto) -> None:
    done = abierto("fit", "qwen3:8b", "--context", "16384", "--users", "4")
    assert done.status == 0, done.err
    assert "by the blocks that its card tells" in done.out
    body = json.loads(abierto("fit", "qwen3:8b", "--context", "16384", "--users", "4", "--json").out)
    assert body["told_by"] == "blocks"
    # users x tokens x blocks x (key and value) x heads x their size x bytes of a 16-bit float
    assert body["fits"][0]["footprint"]["kv_cache"] == 4 * 16_384 * 36 * 2 * 8 * 128 * 2


def test_a_card_that_does_not_fit_says_with_which_context_it_would(abierto: Abierto) -> None:
    needed = json.loads(abierto("fit", "qwen3:0.6b", "--context", "4096", "--json").out)["fits"][0]["footprint"][
        "total"
    ]
    margin = str((psutil.virtual_memory().available - needed) // 1_000_000)
    done = abierto("fit", "qwen3:0.6b", "--context", "32768", ABIERTO_MEMORY_MARGIN=margin)
    assert "fits with a context of at most" in done.out
    listed = abierto("models", "--all", ABIERTO_MEMORY_MARGIN=margin).out.splitlines()
    assert any(line.startswith("qwen3:0.6b") and "fits" in line for line in listed)


def test_a_model_that_no_computer_like_this_one_holds(abierto: Abierto) -> None:
    body = json.loads(abierto("fit", "deepseek-r1:671b", "--json").out)
    assert body["fits"][0]["verdict"]["word"] == "needs_more"
    assert "more than this computer has" in body["fits"][0]["says"]


def test_of_a_model_that_draws_only_the_weights_are_told(abierto: Abierto) -> None:
    body = json.loads(abierto("fit", "flux.1-schnell", "--json").out)
    [found] = body["fits"]
    assert found["footprint"]["total"] == found["footprint"]["weights"] == body["size"]
    assert "weights" in found["says"]


def test_a_model_without_files(abierto: Abierto) -> None:
    assert "no file of its own" in abierto("fit", "echo").out


def test_what_is_not_known_is_not_called_nothing(abierto: Abierto) -> None:
    told = abierto("fit", "sdxl:1.0").out
    assert "a guess by its number of parameters" in told
    assert "the weights fit" in told or "the weights alone need" in told
    assert "0 B" not in told
    assert "by the arrays of its package" in abierto("fit", "use-multilingual").out


def test_what_cannot_be_told_is_an_error(abierto: Abierto, tiny: str, tmp_path: Path) -> None:
    assert abierto("fit", "no-such-model").status == 3
    assert abierto("fit", tiny, "--context", "200001").status == 2
    assert abierto("fit", tiny, "--users", "0").status == 2
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(TinyGGUF().build()[:1000])
    assert abierto("fit", str(broken)).status != 0


def test_in_spanish(abierto: Abierto, tiny: str) -> None:
    assert "llamacpp: cabe." in abierto("fit", tiny, ABIERTO_LANGUAGE="es").out


def test_a_bar_is_as_long_as_its_share() -> None:
    assert bar(0) == ""
    assert bar(0.5) == "█" * (BAR // 2)
    assert len(bar(0.51)) == BAR // 2 + 1
    assert bar(2) == "█" * BAR + "▶"


def test_a_computer_that_was_measured_foretells_how_fast_a_model_would_be(abierto: Abierto, tiny: str) -> None:
    assert "abierto doctor --measure" in abierto("fit", tiny).out
    assert "not yet: abierto doctor --measure" in abierto("doctor").out
    journal = Journal.at(config.folders().data)
    known = {"byte": {"F32": 1e-9, "Q8_0": 1e-11}, "weight": {"F32": 1e-9, "Q8_0": 1e-11}}
    body = {"token": 1e-3, "block": 0.0, "word": 0.0, "attention": 0.0, **known}
    journal.add_measurement(engine="llamacpp", threads=2, rates=body)
    journal.close()
    done = abierto("fit", tiny)
    assert "llamacpp: it never ran here. By what was measured of this computer it would read" in done.out
    assert "doctor --measure" not in done.out
    assert "measured: llamacpp: F32, Q8_0" in abierto("doctor").out
    [found] = [fit for fit in json.loads(abierto("fit", tiny, "--json").out)["fits"] if fit["engine"] == "llamacpp"]
    assert found["speed"]["by"] == "computer"
    assert 0 < found["speed"]["generation"] < 1000
    listed = [line for line in abierto("models", "--all").out.splitlines() if line.startswith("qwen3:0.6b")]
    assert "token/s" in listed[0]


def test_measuring_shows_a_table_and_keeps_it(abierto: Abierto) -> None:
    done = abierto("doctor", "--measure")
    assert done.status == 0, done.err
    rows = [line.split("\t") for line in done.out.splitlines()]
    # A speed that was lost in what else the computer did is a dash.
    measured = {row[0]: row[2] for row in rows if row[1] in ("Q8_0", "Q4_0")}
    assert set(measured) == {"llamacpp", "openvino"}
    assert all(said == "-" or float(said) > 0 for said in measured.values())
    assert "measured: llamacpp: " in abierto("doctor").out


def test_the_disk_counts_for_what_is_not_here(abierto: Abierto, tiny: str) -> None:
    body = json.loads(abierto("fit", "qwen3:0.6b", "--json").out)
    assert body["disk_free"] > 0
    assert " are free on the disk" in abierto("fit", "qwen3:0.6b").out
    assert json.loads(abierto("fit", tiny, "--json").out)["disk_free"] == 0
    assert "on the disk" not in abierto("fit", tiny).out


def with_card(folder: Path, name: str, total: int, free: int) -> str:
    """A PATH with a driver's program that tells of one card. total, free: MiB."""
    program = folder / "bin" / "nvidia-smi"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\necho '{name}, {total}, {free}'\n")
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


def test_graphics_cards_are_told_with_what_fits_on_them(abierto: Abierto, tiny: str, tmp_path: Path) -> None:
    path = with_card(tmp_path, "NVIDIA Example", 8192, 8000)
    assert "GPUs: NVIDIA Example, 8.6 GB of memory, 8.4 GB of it free" in abierto("doctor", PATH=path).out
    done = abierto("fit", tiny, PATH=path)
    assert "Graphics cards: NVIDIA Example, 8.6 GB of memory, 8.4 GB of it free." in done.out
    assert "On NVIDIA Example all 2 blocks fit" in done.out
    [part] = json.loads(abierto("fit", "qwen3:14b:q4_k_m", "--context", "4096", "--json", PATH=path).out)["offload"]
    assert (part["word"], part["blocks"]) == ("part", 40)
    assert 0 < part["layers"] < 40
    small = with_card(tmp_path, "NVIDIA Small", 1024, 900)
    assert "not one of the 40 blocks fits" in abierto("fit", "qwen3:14b:q4_k_m", PATH=small).out


def test_a_model_that_draws_is_told_by_the_size_and_number_of_images(abierto: Abierto, tmp_path: Path) -> None:
    place = str(pipeline(tmp_path / "draws").parent)
    done = abierto("fit", place, "--size", "1024x768", "--users", "2")
    assert done.status == 0, done.err
    assert "Images of 1,024 x 768 pixels; at once: 2." in done.out
    assert "estimate\t- unet\t1.0 kB" in done.out
    assert "estimate: fits." in done.out
    usual, larger = (
        json.loads(abierto("fit", place, *size, "--json").out) for size in ((), ("--size", "1024", "--users", "1"))
    )
    assert usual["image"] == [512, 512]
    assert larger["fits"][0]["footprint"]["compute"] > 3 * usual["fits"][0]["footprint"]["compute"]
    assert "cabe." in abierto("fit", place, ABIERTO_LANGUAGE="es").out
    assert abierto("fit", place, "--size", "large").status == 2


def test_images_that_do_not_fit_are_told_with_a_size_that_does(abierto: Abierto, tmp_path: Path) -> None:
    place = str(pipeline(tmp_path / "draws").parent)
    needed = json.loads(abierto("fit", place, "--size", "1024", "--json").out)["fits"][0]["footprint"]["total"]
    margin = str((psutil.virtual_memory().available - needed) // 1_000_000)
    done = abierto("fit", place, "--size", "4096", ABIERTO_MEMORY_MARGIN=margin)
    assert "more than" in done.out
    assert "With images of at most" in done.out


def test_a_voice_is_told_by_the_seconds_of_speech(abierto: Abierto, tmp_path: Path) -> None:
    path = str(TinyVoice(64, (8, 8)).write(tmp_path / "voice.onnx"))
    done = abierto("fit", path, "--seconds", "60", "--users", "2")
    assert done.status == 0, done.err
    assert "Seconds of speech made at once: 60; texts at once: 2." in done.out
    assert "estimate: fits." in done.out
    assert "Segundos de habla" in abierto("fit", path, ABIERTO_LANGUAGE="es").out
    assert abierto("fit", path, "--seconds", "0").status == 2
    needed = json.loads(abierto("fit", path, "--seconds", "60", "--json").out)["fits"][0]["footprint"]["total"]
    margin = str((psutil.virtual_memory().available - needed) // 1_000_000)
    long = abierto("fit", path, "--seconds", "3600", ABIERTO_MEMORY_MARGIN=margin)
    assert "seconds of speech made at once it fits now" in long.out
    assert "by the sizes that its card tells" in abierto("fit", "piper:es_es-davefx-medium").out
