"""`abierto recommend`, as it is typed."""

import json

from tests.cli.conftest import Abierto


def test_models_are_ranked_with_what_the_order_rests_on(abierto: Abierto) -> None:
    done = abierto("recommend", "chat")
    assert done.status == 0, done.err
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert len(rows) > 10
    assert all(row[2].endswith("/17") for row in rows if len(row) == 5)
    assert any("against" in row[1] for row in rows)
    assert "By wins in published evaluations" in done.err


def test_numbers_for_a_program_and_a_language(abierto: Abierto) -> None:
    found = json.loads(abierto("recommend", "speak", "--language", "ES", "--json", "--all").out)
    assert {one["name"] for one in found} >= {"piper:es_es-davefx-medium"}
    everything = json.loads(abierto("recommend", "chat", "--all", "--json").out)
    assert len(everything) > len(json.loads(abierto("recommend", "chat", "--json").out))
    assert {"quality", "components_published", "fits", "speed"} <= everything[0].keys()


def test_recognisers_are_ranked_by_the_errors_they_make_in_the_language_that_is_asked_for(abierto: Abierto) -> None:
    done = abierto("recommend", "automatic-speech-recognition", "--language", "es", "--all")
    names = [line.split("\t")[0] for line in done.out.splitlines()]
    sizes = ["whisper:large-v3", "whisper:medium", "whisper:small", "whisper:base", "whisper:tiny"]
    assert [name for name in names if name in sizes] == sizes
    assert "distil-whisper:large-v3" not in names
    said = abierto("show", "whisper:tiny").out
    assert "Multilingual LibriSpeech Spanish (WER) 20.6 (less is better)" in said
    assert "Picovoice/speech-to-text-benchmark" in said


def test_models_that_draw_and_models_that_compare_are_ranked_by_published_results(abierto: Abierto) -> None:
    draw = json.loads(abierto("recommend", "text-to-image", "--all", "--json").out)
    rated = {one["name"]: one["quality"] for one in draw if one["quality"]}
    assert {"qwen-image", "flux.1-dev", "pixart-sigma", "stable-diffusion:1.5"} <= rated.keys()
    assert rated["qwen-image"]["share"] > rated["stable-diffusion:1.5"]["share"]
    embed = json.loads(abierto("recommend", "feature-extraction", "--language", "es", "--all", "--json").out)
    assert {"bge-m3", "embeddinggemma:300m", "multilingual-e5:base"} <= {one["name"] for one in embed if one["quality"]}
    said = abierto("show", "bge-m3").out
    assert "MTEB BelebeleRetrieval Spanish (nDCG@10) 0.93937" in said
    assert "embeddings-benchmark/results" in said


def test_a_task_that_there_is_not(abierto: Abierto) -> None:
    done = abierto("recommend", "dance")
    assert done.status == 2
    assert "dance" in done.err
    told = abierto("recommend", "--help").out
    assert all(task in told for task in ("chat", "see", "embed", "rerank", "listen", "speak", "draw", "film"))


def test_the_results_are_on_the_card_with_their_document(abierto: Abierto) -> None:
    said = abierto("show", "llama3.1:8b").out
    assert "published evaluations: " in said
    assert "MMLU-Pro 48.3" in said
    assert "llm-leaderboard" in said
