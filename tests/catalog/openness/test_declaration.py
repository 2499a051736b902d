"""What the makers of a model declare of its components, and what of it a folder bears out."""

import json
from pathlib import Path

import pytest

from abierto.catalog.openness import collect, mot_yaml, report, words
from abierto.catalog.openness.evidence import COMPONENTS, Inventory

HEAD = "framework: {name: 'Model Openness Framework', version: '1.0', date: '2024-12-15'}\nrelease:\n"
HEAD += (
    "  name: small\n  producer: Acme\n  date: '2026-11-30'\n  license:\n    distribution: {name: MIT, path: LICENSE}\n"
)
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def found(folder: Path, *entries: str, head: str = HEAD) -> Inventory:
    """What is found where each entry is declared, as the inside of a mapping on one line."""
    listed = "".join(f"    - {{{entry}}}\n" for entry in entries)
    write(folder, "mof.yaml", f"{head}  components:\n{listed}")
    return collect.folder("small", folder)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, "utf-8")


def codes(inventory: Inventory) -> list[str]:
    return [one.code for one in inventory.refused]


def test_a_place_in_the_folder_is_evidence_with_its_own_licence_its_rule_and_where_it_is_declared(small: Path) -> None:
    write(small, "learn/loop.py", "print()\n")
    shown = found(
        small,
        "name: Model card, component_path: README.md, license: CC-BY-4.0",
        "name: Training code, component_path: learn, license: mit, description: 'The loop: and its steps'",
    )
    training = shown["training_code"]
    assert (training.status, training.license, training.rule) == ("present", "MIT", "declared_file")
    assert (training.where[0].place, training.where[0].section) == ("learn", "mof.yaml:10-10")
    assert training.where[0].quote == "The loop: and its steps"
    assert shown["model_card"].license == "CC-BY-4.0"
    assert codes(shown) == []


def test_the_lines_of_an_entry_are_its_own(small: Path) -> None:
    write(small, "a.py", "print()\n")
    body = "  components:\n    - name: Training code\n      component_path: a.py\n\n    - name: Inference code\n"
    write(small, "mof.yaml", HEAD + body + "      component_path: a.py\n      license: MIT\n")
    shown = collect.folder("small", small)
    assert [shown[key].where[0].section for key in ("training_code", "inference_code")] == [
        "mof.yaml:9-10",
        "mof.yaml:12-14",
    ]


def test_nothing_is_inherited_from_what_is_declared_for_all(small: Path) -> None:
    write(small, "learn.py", "print()\n")
    for entry in ("", ", license: unlicensed", ", license: ", ", license: null"):
        shown = found(small, f"name: Training code, component_path: learn.py{entry}")
        assert (shown["training_code"].status, shown["training_code"].license) == ("present", None)


def test_an_address_is_a_link_and_a_file_goes_before_it(small: Path) -> None:
    entry = "name: Datasets, component_path: 'https://example.org/corpus', license: CC0-1.0"
    shown = found(small, entry)["datasets"]
    assert (shown.rule, shown.license, shown.where[0].place) == (
        "declared_link",
        "CC0-1.0",
        "https://example.org/corpus",
    )
    write(small, "data/train.csv", "a,b\n")
    assert found(small, entry)["datasets"].license is None


@pytest.mark.parametrize(
    "location",
    ["gone.py", "../outside.py", "learn/../../outside.py", "{outside}", "/etc/passwd", "C:\\learn.py", "link.py",
     "file:///etc/passwd", "hf:acme/small", "''", "empty.py", "pointer.py", "~", "'\\0'"],
)  # fmt: skip
def test_a_place_that_is_not_there_or_not_inside_is_told_and_shows_nothing(
    small: Path, tmp_path: Path, location: str
) -> None:
    write(tmp_path, "outside.py", "print()\n")
    write(small, "empty.py", "\n")
    write(small, "pointer.py", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    (small / "link.py").symlink_to(tmp_path / "outside.py")
    place = location.replace("{outside}", str(tmp_path / "outside.py"))
    shown = found(
        small, f"name: Architecture, component_path: {place}", f"name: Evaluation code, component_path: {place}"
    )
    assert shown["evaluation_code"].status == "not_shown"
    assert codes(shown) == ["unknown_component", "not_there"]
    assert shown.refused[1].place == "mof.yaml:10-10"


def test_what_is_declared_does_not_turn_one_thing_into_another(small: Path) -> None:
    (small / "model.safetensors").unlink()
    shown = found(
        small,
        "name: Training code, component_path: README.md, license: MIT",
        "name: Model parameters (Final), component_path: README.md, license: MIT",
    )
    assert codes(shown) == ["other_kind", "other_kind"]
    assert shown["weights"].status == "not_shown"


def test_a_licence_in_the_program_text_applies_beside_the_one_that_is_declared(small: Path) -> None:
    write(small, "learn/a.py", "# SPDX-License-Identifier: GPL-3.0-only\n")
    write(small, "learn/b.py", "# SPDX-License-Identifier: MIT\n")
    shown = found(small, "name: Training code, component_path: learn, license: MIT")
    assert shown["training_code"].license == "MIT AND GPL-3.0-only"


def test_other_files_of_its_kind_take_nothing_from_what_is_declared_unless_they_state_a_licence(small: Path) -> None:
    write(small, "learn/a.py", "print()\n")
    write(small, "train.py", "print()\n")
    entry = "name: Training code, component_path: learn, license: MIT"
    assert found(small, entry)["training_code"].license == "MIT"
    write(small, "train.py", "# SPDX-License-Identifier: CC-BY-NC-4.0\n")
    assert found(small, entry)["training_code"].license == "CC-BY-NC-4.0 AND MIT"


def test_the_licence_that_is_declared_of_the_weights_is_compared_with_the_others(small: Path) -> None:
    shown = found(small, "name: Model parameters (Final), component_path: ., license: Apache-2.0")
    assert shown["weights"].license == "Apache-2.0"
    assert not shown.conflicts
    shown = found(small, "name: Model parameters (Final), component_path: ., license: MIT")
    assert shown["weights"].license == "Apache-2.0 AND MIT"
    assert [remark.code for remark in shown.conflicts] == ["places_disagree"]


def test_a_text_of_a_licence_that_is_not_there_is_told(small: Path) -> None:
    shown = found(
        small, "name: Model card, component_path: README.md, license: CC-BY-4.0, license_path: LICENSES/x.txt"
    )
    assert codes(shown) == ["license_not_there"]
    lines = [line for section in words.sections(report.of(shown)) for line in map(str, section.lines)]
    assert any("LICENSES/x.txt" in line and "mof.yaml:9-9" in line for line in lines)


def test_who_made_it_and_when_is_known(small: Path) -> None:
    shown = found(small).identity
    assert {key: said.value for key, said in shown.items()} == {"publisher": "Acme", "released": "2026-11-30"}


def test_the_form_that_is_written_is_read(small: Path) -> None:
    write(small, "learn.py", "# SPDX-License-Identifier: MIT\n")
    before = found(small, "name: Training code, component_path: learn.py, license: MIT")
    (small / "mof.yaml").write_text(mot_yaml.write(before), "utf-8")
    after = collect.folder("small", small)
    assert {one.component.key: (one.status, one.license) for one in after.findings} == {
        one.component.key: (one.status, one.license) for one in before.findings
    }


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        HEAD + "  components:\n    - &a {name: Training code, component_path: learn.py}\n    - *a\n",
        HEAD.replace("Model Openness Framework", "Another"),
        "release: {components: [{name: Training code, component_path: learn.py}]}",
        "[" * 50_000 + "]" * 50_000,
        HEAD + "#" * 300_000,
        "framework: [",
        "\x00\x01",
        "",
        "- 1",
    ],
)
def test_what_is_no_declaration_or_a_hostile_one_shows_nothing(small: Path, text: str) -> None:
    write(small, "learn.py", "print()\n")
    write(small, "mof.yaml", text)
    shown = collect.folder("small", small)
    assert shown["training_code"].where[0].place.startswith("https://")
    assert codes(shown) == ["unreadable"]


@pytest.mark.parametrize(
    "components",
    ["7", "{name: Training code}", "[1, [2], {}, null, {name: [a], component_path: {b: c}}]",
     "[{? {a: b} : c, component_path: 3}]", "[{name: !!python/object/apply:os.system [true]}]"],
)  # fmt: skip
def test_values_of_other_types_show_nothing(small: Path, components: str) -> None:
    write(small, "mof.yaml", f"{HEAD}  components: {components}\n")
    shown = collect.folder("small", small)
    assert not any(one.rule.startswith("declared") for one in shown.findings)
    assert set(codes(shown)) <= {"unknown_component"}


def test_no_more_is_read_than_there_can_be(small: Path) -> None:
    shown = found(small, *(["name: " + "x" * 1000] * 1000))
    assert len(shown.refused) <= 3 * len(COMPONENTS)
    assert len(json.dumps(report.as_json(report.of(shown)))) < 100_000


PARTS = ("Motivation", "Composition", "Collection process", "Cleaning and labelling", "Uses", "Distribution")


def told(*titles: str) -> str:
    """A document with a part for each title."""
    return "".join(f"## {title}\n\n{'This part says something about it. ' * 8}\n\n" for title in titles)


def dimensions(inventory: Inventory) -> dict[str, str]:
    return {check.key: check.outcome for check in report.of(inventory).european.checks}


def test_what_a_report_and_a_data_card_cover_is_read_in_them(small: Path) -> None:
    table = "## Results\n\n| metric | value |\n|---|---|\n| a | 1 |\n| b | 2 |\n"
    write(small, "docs/report.md", told("Architecture", "Training data", "Training procedure") + table)
    write(small, "docs/data.md", told(*PARTS, "Maintenance"))
    entries = [f"name: {name}, component_path: docs/{file}.md, license: CC-BY-4.0"
               for name, file in (("Technical report", "report"), ("Data card", "data"))]  # fmt: skip
    assert {"preprint": "open", "datasheet": "open"}.items() <= dimensions(found(small, *entries)).items()
    write(small, "docs/report.md", told("Architecture", "Training procedure") + table)
    write(small, "docs/data.md", told(*PARTS))
    assert {"preprint": "partial", "datasheet": "partial"}.items() <= dimensions(found(small, *entries)).items()


def test_data_are_open_in_the_european_index_where_all_of_them_are_declared_here(small: Path) -> None:
    write(small, "data.json", "[1]")
    entry = "name: Datasets, component_path: data.json"
    for license_, outcome in (("CC0-1.0 AND MIT", "open"), ("CC-BY-NC-4.0 AND MIT", "partial")):
        assert dimensions(found(small, f"{entry}, license: {license_}"))["datasources_endmodel"] == outcome


def test_a_card_that_tells_how_outputs_are_marked_is_quoted(small: Path) -> None:
    assert not report.of(collect.folder("small", small)).marking.where
    text = (small / "README.md").read_text("utf-8").replace("text-generation", "text-to-image")
    write(small, "README.md", text + told("Marking of outputs"))
    marking = report.of(collect.folder("small", small)).marking
    assert (marking.outcome, marking.where[0].section) == ("applies", "Small > Marking of outputs")
