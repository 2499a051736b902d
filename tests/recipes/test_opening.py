"""What lies beside the published model, and what the report on openness finds in it."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from abierto.catalog.openness import card_rules, card_text, collect, report
from abierto.catalog.openness.report import Report
from abierto.recipes.trazo import opening
from abierto.recipes.trazo.chain import Workshop
from abierto.recipes.trazo.published import Published, keep, publish
from tests.recipes.tiny_drawings import PLAN, data_of, settings_of, trained

pytestmark = pytest.mark.filterwarnings("ignore")  # of PyTorch, about itself
SOURCE = "source/recipes/trazo"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Two segments, with a set of drawings that is kept from the model."""
    folder = tmp_path_factory.mktemp("made")
    plan = replace(PLAN, steps=1)
    workshop = Workshop(settings_of(folder / "archives", plan, replace(plan, stage="denoiser"), judge=True), folder)
    trained(workshop)
    return workshop


@pytest.fixture(scope="module")
def published(made: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, with a stand-in for what an evaluation adds."""
    folder = tmp_path_factory.mktemp("model")
    publish(made, data_of(made), Published(folder))
    for name, text in (
        ("evaluation.json", '{"named": 0.5}\n'),
        ("REPORT.md", "# Report\n\n" + "Made and measured. " * 20),
    ):
        (folder / name).write_text(text, "utf-8")
    opening.declare(made, folder)
    return folder


@pytest.fixture
def copy(published: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil."""
    return Path(shutil.copytree(published, tmp_path / "copy"))


def reported(folder: Path) -> Report:
    return report.of(collect.folder("tiny", folder))


def test_a_published_model_reaches_the_highest_class_by_evidence_alone(published: Path) -> None:
    found = reported(published)
    assert found.mof_strict.level == 1
    assert not found.inventory.refused
    assert not found.inventory.conflicts
    assert {said.license for said in found.inventory.licenses} == {opening.LICENSE}
    assert found.inventory["datasets"].license == "MIT AND Unicode-3.0"
    assert {check.outcome for check in (*found.to_run, *found.to_rebuild)} == {"there"}
    dimensions = {check.key: check.outcome for check in found.european.checks}
    assert {key for key, outcome in dimensions.items() if outcome != "open"} == {"preprint", "paper"}
    assert {check.key: check.outcome for check in found.osi.checks}["code"] == "met"
    assert {check.outcome for check in found.ai_act.checks} == {"pass", "review"}
    assert found.marking.where


@pytest.mark.parametrize(
    ("gone", "component"),
    [
        (f"{SOURCE}/segment.py", "training_code"),
        (f"{SOURCE}/pictures.py", "preprocessing_code"),
        (f"{SOURCE}/evaluation", "evaluation_code"),
        ("data/training.json", "datasets"),
        ("data/evaluation.json", "evaluation_data"),
        ("records/before.xz", "checkpoints"),
        ("REPORT.md", "technical_report"),
    ],
)
def test_it_does_not_without_one_of_its_parts(copy: Path, gone: str, component: str) -> None:
    shutil.rmtree(copy / gone) if (copy / gone).is_dir() else (copy / gone).unlink()
    found = reported(copy)
    assert found.mof_strict.level != 1
    assert found.inventory[component].status == "not_shown"
    assert gone in {one.location for one in found.inventory.refused}


def test_it_does_not_under_another_licence_of_a_part(copy: Path) -> None:
    path = copy / SOURCE / "segment.py"
    path.write_text(path.read_text("utf-8").replace("Apache-2.0", "CC-BY-NC-4.0", 1), "utf-8")
    assert reported(copy).mof_strict.level == 3


def test_the_program_text_is_that_of_the_package_with_a_line_that_tells_its_licence(published: Path) -> None:
    package = Path(opening.__file__).parent
    for name in ("segment.py", "evaluation/run.py", "trazo.toml"):
        first, rest = (published / SOURCE / name).read_text("utf-8").split("\n", 1)
        assert first == "# SPDX-License-Identifier: Apache-2.0"
        assert rest == (package / name).read_text("utf-8")
    command = [sys.executable, "-X", f"pycache_prefix={published.parent / 'cache'}", "-m", "compileall", "-q"]
    assert subprocess.run([*command, str(published / "source")], check=False).returncode == 0
    assert (published / "source" / "engines" / "starter.py").is_file()
    assert "which all segments name" in (published / "source" / "README.md").read_text("utf-8")


def test_where_the_data_are_is_told_with_hash_and_licence(made: Workshop, published: Path) -> None:
    body = json.loads((published / "data" / "training.json").read_text("utf-8"))
    assert body["drawings"] == 8
    assert [one["use"] for one in body["sources"]] == ["train", "train", "names", "keywords"]
    first = made.settings.sources[0]
    assert body["sources"][0]["address"].endswith("/@iconify-json/round/-/round-1.0.0.tgz")
    assert (body["sources"][0]["sha256"], body["sources"][0]["license"]) == (first.sha256, "MIT")
    assert body["sources"][0]["author"] == "Ana"


def test_the_report_has_the_parts_that_are_looked_for() -> None:
    template = Path(opening.__file__).with_name("report.en.txt").read_bytes()
    assert {"architecture", "data", "training", "hardware"} <= set(
        card_rules.covered(card_text.read(template, "REPORT.md"))
    )


def test_what_is_only_kept_claims_no_more_than_there_is(made: Workshop, tmp_path: Path) -> None:
    keep(made, data_of(made), Published(tmp_path))
    found = reported(tmp_path)
    assert not found.inventory.refused
    for key in ("weights", "evaluation_results", "technical_report", "paper", "sample_outputs"):
        assert found.inventory[key].status == "not_shown"
    assert found.inventory["checkpoints"].present
    assert found.mof_strict.level == 0
    assert "so far it does not" in (tmp_path / "README.md").read_text("utf-8")
    publish(made, data_of(made), Published(tmp_path))
    assert reported(tmp_path).inventory["weights"].present
    assert not (tmp_path / "records" / "checkpoint.xz").exists()
    assert "so far it does not" not in (tmp_path / "README.md").read_text("utf-8")
