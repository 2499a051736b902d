"""What is said of the golden folders, against what was worked out by hand for each of them."""

import re
from pathlib import Path
from typing import Any

import pytest

from abierto.catalog.licensing.folder import Licensing, of_folder, of_metadata
from abierto.catalog.licensing.reading import Outcome, Reading
from abierto.catalog.licensing.tags import declared, identifier
from abierto.catalog.openness import collect, report
from abierto.catalog.openness.evidence import BY_KEY
from abierto.catalog.openness.report import Report
from abierto.formats import gguf, inspection
from tests import golden_folders
from tests.golden_folders import GOLDEN

NAMES = golden_folders.names()
LARGEST = 1_500_000  # bytes of all of them


@pytest.fixture(params=NAMES)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[dict[str, Any], Path]:
    """What is expected of a folder, and the folder."""
    name: str = request.param
    return golden_folders.expected(name), golden_folders.expand(name, tmp_path)


def test_every_folder_says_what_it_is_and_where_from() -> None:
    folders = [path for path in GOLDEN.iterdir() if path.is_dir()]
    assert sorted(path.name for path in folders) == NAMES
    for folder in folders:
        said = (folder / "SOURCE.md").read_text("utf-8")
        assert re.search(r"(?i)(read|opened)\s+202", said), folder.name
    assert sum(path.stat().st_size for path in GOLDEN.rglob("*") if path.is_file()) < LARGEST


def test_what_is_expected_names_components_that_there_are() -> None:
    for name in NAMES:
        components = golden_folders.expected(name)["components"]
        listed = [*components["present"], *components.get("absent", ())]
        assert set(listed) <= set(BY_KEY), name
        assert len(listed) == len(set(listed)), name


def test_every_state_and_every_kind_of_answer_is_among_them() -> None:
    every = [golden_folders.expected(name) for name in NAMES]
    absent = {key for one in every for key in one["components"].get("absent", ())}
    present = {key for one in every for key in one["components"]["present"]}
    assert {"datasets", "training_code"} <= absent
    assert present == set(BY_KEY)
    assert {one["osi"][key] for one in every for key in one["osi"]} == {"met", "not_met", "review", "not_shown"}


def test_what_is_in_the_files(golden: tuple[dict[str, Any], Path]) -> None:
    expected, folder = golden
    report = inspection.inspect(folder)
    facts = report.facts
    found: dict[str, Any] = {
        key: getattr(facts, key) for key in ("architecture", "framework", "quantization", "context", "vocabulary")
    }
    found |= {"parameters": report.parameters, "size": report.size, "lineage": list(facts.lineage)}
    found |= {"components": sorted(facts.components), "adapter": facts.adapter.get("peft_type", "")}
    found["executes"] = sorted({finding.code for _, finding in report.findings if finding.level == "executes"})
    assert {key: found[key] for key in expected["inspect"]} == expected["inspect"]
    assert not [(place, finding) for place, finding in report.findings if finding.level == "fault"]


def test_what_is_said_of_the_licence(golden: tuple[dict[str, Any], Path]) -> None:
    expected, folder = golden
    found, wanted = _licensing(expected, folder), expected["licenses"]
    assert _said(found.declared) == wanted["declared"]
    assert {one.where: _said(one) for one in found.texts} == wanted.get("texts", {})
    assert [_said(one) for one in found.metadata] == ([wanted["metadata"]] if "metadata" in wanted else [])
    assert sorted(finding.code for finding in found.findings) == sorted(wanted["findings"])


def _licensing(expected: dict[str, Any], folder: Path) -> Licensing:
    bases: dict[str, str] = expected.get("base_license", {})
    headers = [of_metadata(gguf.read_header(path).metadata, path.name) for path in sorted(folder.rglob("*.gguf"))]
    return of_folder(folder, headers, lambda name: declared(bases[name]) if name in bases else None)


def _said(reading: Reading) -> str | list[str]:
    """The licence; of several the list; of a changed text what it resembles; else how far the reading went."""
    if reading.outcome is Outcome.KNOWN:
        return reading.license
    if reading.outcome in (Outcome.CHANGED, Outcome.UNCHECKED):
        return f"{reading.outcome}: {', '.join(reading.candidates)}"
    return sorted(reading.candidates) if reading.candidates else str(reading.outcome)


def test_what_the_report_says_of_the_components(golden: tuple[dict[str, Any], Path]) -> None:
    expected, folder = golden
    components = expected["components"]
    states = dict.fromkeys(BY_KEY, "not_shown") | dict.fromkeys(components["present"], "present")
    states |= dict.fromkeys(components.get("absent", ()), "absent")
    inventory = _report(expected, folder).inventory
    assert {finding.component.key: finding.status for finding in inventory.findings} == states
    for key, license_ in components["present"].items():
        assert _is(inventory[key].license or "", license_), (key, inventory[key].license)
    assert set(expected["inspect"].get("lineage", ())) <= set(inventory.base_models)
    wanted = sorted(expected["licenses"]["findings"])
    assert sorted(finding.code for finding in inventory.conflicts) == wanted


def test_what_the_report_says_of_the_whole(golden: tuple[dict[str, Any], Path]) -> None:
    expected, folder = golden
    found = _report(expected, folder)
    assert {"strict": found.mof_strict.level, "published": found.mof_as_published.level} == expected["mof"]
    ways = {"strict": found.mof_strict, "published": found.mof_as_published}
    for way, percentages in expected.get("progress", {}).items():
        assert [round(result.progress, 1) for result in ways[way].classes.values()] == percentages
    assert {check.key: check.outcome for check in found.osi.checks} == expected["osi"]
    assert {check.key: check.outcome for check in found.to_run} == expected["to_run"]
    limited = [check for check in found.freedoms.get("weights", ()) if check.outcome == "limited"]
    assert sorted({reason.code for check in limited for reason in check.reasons}) == expected["limits"]


def _report(expected: dict[str, Any], folder: Path) -> Report:
    bases: dict[str, str] = expected.get("base_license", {})
    known = lambda name: declared(bases[name]) if name in bases else None  # noqa: E731
    return report.of(collect.folder(expected["model"], folder, known=known))


def _is(license_: str, expected: str) -> bool:
    """Whether a licence is what was expected: by its id, or that it is none, or several."""
    parts = license_.split(" AND ")
    match expected:
        case "unknown" | "ambiguous":
            return not any(map(identifier, parts))
        case "conflict":
            return len(parts) > 1
    return license_ == expected
