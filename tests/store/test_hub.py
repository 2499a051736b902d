"""Pulls from a hub, through its real client library and the stand-in for its servers."""

import os
from pathlib import Path

import pytest

from abierto.errors import (
    AmbiguousFile,
    FileNotInRepository,
    GatedModel,
    HashMismatch,
    RepositoryNotFound,
    SourceUnreachable,
)
from abierto.store import layout, locks, records, sources
from abierto.store.progress import PullProgress
from abierto.store.pull import pull
from tests.store.other_process import OtherProcess
from tests.store.stand_in_hub import TOKEN, Repository, StandInHub
from tests.store.stand_in_index import Manner
from tests.store.tiny_in_hub import FILE, NAME, REPOSITORY, SOURCE, WEIGHTS, in_cache, pulled


def test_a_pull(hub: StandInHub, tiny: Repository, folder: Path, cache: Path) -> None:
    steps = list(pull(SOURCE, NAME, folder, sha256=tiny.sha256(FILE).upper()))
    [file] = pulled(folder).files
    assert file.path.read_bytes() == WEIGHTS
    assert (file.path.name, file.sha256, file.size, file.fetched) == (FILE, tiny.sha256(FILE), len(WEIGHTS), True)
    assert file.path.is_relative_to(cache)
    assert in_cache(cache) == {tiny.sha256(FILE): len(WEIGHTS)}
    assert {step.stage for step in steps} == {"resolve", "download"}
    assert PullProgress("download", len(WEIGHTS), len(WEIGHTS)) in steps
    assert [path.name for path in layout.model_folder(folder, NAME).iterdir()] == ["model.json"]


def test_other_programs_find_it_without_a_network(hub: StandInHub, tiny: Repository, folder: Path) -> None:
    list(pull(SOURCE, NAME, folder))
    lines = f"""
from huggingface_hub import hf_hub_download, scan_cache_dir
say(hf_hub_download({REPOSITORY!r}, {FILE!r}, local_files_only=True))
say(len(scan_cache_dir().warnings))
"""
    with OtherProcess(lines, folder, NAME) as process:
        assert process.hears() == str(pulled(folder).files[0].path)
        process.go_on()
        assert process.hears() == "0"


def test_what_another_program_fetched_is_used_and_left(hub: StandInHub, tiny: Repository, folder: Path) -> None:
    lines = f"from huggingface_hub import hf_hub_download\nsay(hf_hub_download({REPOSITORY!r}, {FILE!r}))"
    with OtherProcess(lines, folder, NAME) as process:
        place = Path(process.hears())
    asked = len(hub.ranges)
    steps = list(pull(SOURCE, NAME, folder))
    assert {step.stage for step in steps} == {"resolve", "verify"}
    assert len(hub.ranges) == asked
    assert pulled(folder).files[0].path == place
    assert records.frees(folder, NAME) == records.remove(folder, NAME) == 0
    assert place.read_bytes() == WEIGHTS


def test_what_is_there_is_not_asked_for_again(hub: StandInHub, tiny: Repository, folder: Path) -> None:
    list(pull(SOURCE, NAME, folder))
    asked = len(hub.requests)
    assert list(pull(SOURCE, NAME, folder)) == []
    assert len(hub.requests) == asked


def test_another_time_alone_is_no_reason_to_fetch(hub: StandInHub, tiny: Repository, folder: Path) -> None:
    list(pull(SOURCE, NAME, folder))
    os.utime(pulled(folder).files[0].path, ns=(1, 1))
    with locks.use(folder, NAME):
        list(pull(SOURCE, NAME, folder))
    assert pulled(folder).files[0].fetched
    assert len(hub.ranges) == 1


def test_a_model_in_parts(hub: StandInHub, folder: Path, cache: Path) -> None:
    parts = {f"Q4/big-{number:05}-of-00003.gguf": b"part %d " % number * 1000 for number in (1, 2, 3)}
    hub.add(REPOSITORY, {**parts, "Q8/big.gguf": b"whole"})
    steps = list(pull(sources.parse(f"hf:{REPOSITORY}:Q4/*"), NAME, folder))
    record = pulled(folder)
    assert [file.path.read_bytes() for file in record.files] == list(parts.values())
    # Side by side and under their own names, as the engine looks for the others beside the first.
    assert [file.path.name for file in record.files] == [path[3:] for path in parts]
    assert len({file.path.parent for file in record.files}) == 1
    assert PullProgress("download", record.size, record.size) in steps
    assert records.remove(folder, NAME) == record.size
    assert in_cache(cache) == {}


def test_a_model_that_is_a_folder(hub: StandInHub, folder: Path, cache: Path) -> None:
    small = {"config.json": b"{}", "chat_template.jinja": b"{{ x }}", "openvino_tokenizer.xml": b"<net/>"}
    large = {
        "openvino_model.xml": b"<net>",
        "openvino_model.bin": b"weights" * 1000,
        "openvino_tokenizer.bin": b"words",
    }
    never = {"pytorch_model.bin": b"pickle", "README.md": b"#"}
    hub.add("OpenVINO/tiny-ov", {**small, **large, **never}, git=frozenset({*small, *never}))
    list(pull(sources.parse("hf:OpenVINO/tiny-ov"), NAME, folder))
    record = pulled(folder)
    assert {file.path.name: file.path.read_bytes() for file in record.files} == {**small, **large}
    assert record.files[0].path.name == "openvino_model.xml"
    assert len({file.path.parent for file in record.files}) == 1
    assert all(file.fetched for file in record.files)
    assert list(pull(sources.parse("hf:OpenVINO/tiny-ov"), NAME, folder)) == []
    assert records.remove(folder, NAME) == record.size
    assert in_cache(cache) == {}


def test_a_folder_that_another_program_fetched_in_part(hub: StandInHub, folder: Path) -> None:
    files = {"config.json": b"{}", "model.safetensors": b"weights"}
    hub.add("openai/tiny", files, git=frozenset({"config.json"}))
    lines = "from huggingface_hub import hf_hub_download\nsay(hf_hub_download('openai/tiny', 'config.json'))"
    with OtherProcess(lines, folder, NAME) as process:
        theirs = Path(process.hears())
    list(pull(sources.parse("hf:openai/tiny"), NAME, folder))
    assert {file.path.name: file.fetched for file in pulled(folder).files} == {
        "config.json": False,
        "model.safetensors": True,
    }
    assert records.remove(folder, NAME) == len(files["model.safetensors"])
    assert theirs.read_bytes() == b"{}"


def test_a_folder_offline_needs_all_that_it_is_made_of(
    hub: StandInHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"openvino_model.xml": b"<net>", "openvino_model.bin": b"weights"}
    hub.add("OpenVINO/tiny-ov", files)
    lines = (
        "from huggingface_hub import hf_hub_download\nsay(hf_hub_download('OpenVINO/tiny-ov', 'openvino_model.xml'))"
    )
    with OtherProcess(lines, folder, NAME) as process:
        process.hears()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(SourceUnreachable):
        list(pull(sources.parse("hf:OpenVINO/tiny-ov"), NAME, folder))
    monkeypatch.delenv("HF_HUB_OFFLINE")
    list(pull(sources.parse("hf:OpenVINO/tiny-ov"), NAME, folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    list(pull(sources.parse("hf:OpenVINO/tiny-ov"), "again", folder))
    assert pulled(folder, "again").files == pulled(folder).files


def test_a_path_that_leads_out_of_the_cache_is_no_file(hub: StandInHub, folder: Path, tmp_path: Path) -> None:
    hub.add("ana/Out", {"model.safetensors": b"weights", "../../../../../out.json": b"out"})
    list(pull(sources.parse("hf:ana/Out"), NAME, folder))
    assert [file.path.name for file in pulled(folder).files] == ["model.safetensors"]
    assert not list(tmp_path.rglob("out.json"))


def test_nothing_but_pickles(hub: StandInHub, folder: Path) -> None:
    hub.add("ana/Pickled", {"pytorch_model.bin": b"x", "model.pth": b"x", "config.json": b"{}"})
    for pattern in ("", ":pytorch_model.bin", ":*.pth"):
        with pytest.raises(FileNotInRepository):
            list(pull(sources.parse(f"hf:ana/Pickled{pattern}"), NAME, folder))
    assert hub.ranges == []


def test_a_missing_part_is_an_error_before_anything_is_fetched(hub: StandInHub, folder: Path) -> None:
    hub.add(REPOSITORY, {f"big-{number:05}-of-00003.gguf": b"part" for number in (1, 3)})
    with pytest.raises(FileNotInRepository) as raised:
        list(pull(sources.parse(f"hf:{REPOSITORY}"), NAME, folder))
    assert raised.value.path == "big-00002-of-00003.gguf"
    assert hub.ranges == []


def test_forty_quantisations_and_no_hint(hub: StandInHub, folder: Path) -> None:
    hub.add(REPOSITORY, {f"Tiny-Q{size}_K_M.gguf": b"x" * size for size in range(1, 41)})
    with pytest.raises(AmbiguousFile) as raised:
        list(pull(sources.parse(f"hf:{REPOSITORY}"), NAME, folder))
    assert raised.value.choices == {f"Q{size}_K_M": size for size in range(1, 41)}
    list(pull(sources.parse(f"hf:{REPOSITORY}:q7_k_m"), NAME, folder))
    assert pulled(folder).size == 7


def test_a_small_file_that_is_no_large_file_storage(hub: StandInHub, folder: Path) -> None:
    hub.add(REPOSITORY, {FILE: b"small"}, git=frozenset({FILE}))
    with pytest.raises(HashMismatch):
        list(pull(SOURCE, NAME, folder, sha256="0" * 64))
    list(pull(SOURCE, NAME, folder))
    assert pulled(folder).files[0].path.read_bytes() == b"small"


@pytest.mark.parametrize("source", ["hf:ana/Nothing", f"hf:{REPOSITORY}@elsewhere"])
def test_no_such_repository_or_revision(source: str, hub: StandInHub, tiny: Repository, folder: Path) -> None:
    with pytest.raises(RepositoryNotFound):
        list(pull(sources.parse(source), NAME, folder))
    assert records.all_records(folder) == []


def test_a_revision(hub: StandInHub, tiny: Repository, folder: Path) -> None:
    tiny.revisions.add("refs/pr/7")
    for revision in ("refs/pr/7", tiny.commit):
        list(pull(sources.parse(f"hf:{REPOSITORY}@{revision}:Q8_0"), revision, folder))
        assert pulled(folder, revision).files[0].path.read_bytes() == b"other weights"


def test_a_gated_model(
    hub: StandInHub, tiny: Repository, folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.gated = True
    with pytest.raises(GatedModel) as raised:
        list(pull(SOURCE, NAME, folder))
    assert raised.value.url == f"{hub.address}/{REPOSITORY}"
    assert in_cache(cache) == {}
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    list(pull(SOURCE, NAME, folder))
    assert pulled(folder).files[0].path.read_bytes() == WEIGHTS
    # What opens the hub is not shown to the host that it sends on to.
    assert not [request for request in hub.requests if "/bytes/" in request["target"] and "Authorization" in request]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_hub_that_is_busy_for_a_moment(status: int, hub: StandInHub, tiny: Repository, folder: Path) -> None:
    tiny.manners = [Manner(status=status, headers={"Retry-After": "0"}), Manner()]
    list(pull(SOURCE, NAME, folder))
    assert pulled(folder).size == len(WEIGHTS)


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        (Manner(status=429, headers={"Retry-After": "3600"}), "429 Too Many Requests"),
        (Manner(status=502), "502 Bad Gateway"),
        (
            Manner(status=401, headers={"X-Error-Message": "Invalid credentials in Authorization header"}),
            "Invalid cred",
        ),
        (Manner(status=403, headers={"X-Error-Message": "Not yours"}), "403 Forbidden: Not yours"),
    ],
)
def test_a_hub_that_refuses(manner: Manner, words: str, hub: StandInHub, tiny: Repository, folder: Path) -> None:
    tiny.manners = [manner]
    with pytest.raises(SourceUnreachable) as raised:
        list(pull(SOURCE, NAME, folder))
    assert raised.value.host == hub.host
    assert words in raised.value.detail


def test_a_hub_that_is_not_there(hub: StandInHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(SourceUnreachable) as raised:
        list(pull(SOURCE, NAME, folder))
    assert raised.value.host == "127.0.0.1:9"


def test_a_hub_that_says_nothing(
    hub: StandInHub, tiny: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_ETAG_TIMEOUT", "1")
    tiny.manners = [Manner(stall_after=0)]
    with pytest.raises(SourceUnreachable) as raised:
        list(pull(SOURCE, NAME, folder))
    assert "Timeout" in raised.value.detail


def test_offline(hub: StandInHub, tiny: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list(pull(SOURCE, NAME, folder))
    asked = len(hub.requests)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    list(pull(SOURCE, "again", folder))
    assert pulled(folder, "again").files == pulled(folder).files
    for source in (f"hf:{REPOSITORY}:Q8_0", "hf:ana/Nothing"):
        with pytest.raises(SourceUnreachable) as raised:
            list(pull(sources.parse(source), "other", folder))
        assert "HF_HUB_OFFLINE" in raised.value.detail
    assert len(hub.requests) == asked


def test_a_silent_hub_is_not_needed_for_what_is_in_the_cache(hub: StandInHub, tiny: Repository, folder: Path) -> None:
    list(pull(SOURCE, NAME, folder))
    tiny.manners = [Manner(status=503)]
    list(pull(SOURCE, "again", folder))
    assert pulled(folder, "again").size == len(WEIGHTS)
