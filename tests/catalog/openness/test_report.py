"""What is found of a model, and what the rule books say of it."""

import gzip
import json
import pickle
from pathlib import Path

import pytest

from abierto.catalog.licensing.tags import declared
from abierto.catalog.openness import clauses, collect, file_rules, mof, mot_yaml, report
from abierto.catalog.openness.evidence import COMPONENTS
from abierto.catalog.openness.report import Report


def reported(folder: Path, engine: str = "") -> Report:
    return report.of(collect.folder(folder.name, folder), engine)


def stated(found: Report, key: str) -> tuple[str, str | None]:
    finding = found.inventory[key]
    return finding.status, finding.license


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def swap(folder: Path, *pairs: tuple[str, str]) -> None:
    text = (folder / "README.md").read_text("utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    (folder / "README.md").write_text(text, "utf-8")


def test_all_seventeen_components_are_told_with_their_places(small: Path) -> None:
    found = reported(small)
    assert len(found.inventory.findings) == len(COMPONENTS) == 17
    assert stated(found, "weights") == ("present", "Apache-2.0")
    assert stated(found, "datasets") == ("present", None)
    assert stated(found, "training_code") == ("present", None)
    assert stated(found, "evaluation_results")[0] == "present"
    assert stated(found, "paper") == ("not_shown", None)
    where = found.inventory["datasets"].where
    assert any(place.lines for place in where if place.place == "README.md") or "datasets/acme" in where[0].place
    assert all(finding.rule for finding in found.inventory.findings if finding.present)


def test_nothing_inherits_the_licence_of_the_weights_unless_asked(small: Path) -> None:
    found = reported(small)
    strict, published = found.mof_strict.classes[3], found.mof_as_published.classes[3]
    assert strict.progress < published.progress
    assert strict.unlicensed
    assert not published.unlicensed


def test_a_program_text_has_the_licence_that_it_states_itself(small: Path) -> None:
    write(small, "train.py", "# SPDX-License-Identifier: MIT\nprint()\n")
    write(small, "inference.py", "print()\n")
    found = reported(small)
    assert stated(found, "training_code") == ("present", "MIT")
    assert stated(found, "inference_code") == ("present", None)


def test_what_the_card_denies_is_absent_and_not_merely_unseen(small: Path) -> None:
    swap(
        small,
        ("datasets: [acme/corpus]\n", ""),
        (
            "They are at\n[the dataset](https://huggingface.co/datasets/acme/corpus).",
            "The training data is not released.",
        ),
    )
    found = reported(small)
    assert found.inventory["datasets"].status == "absent"
    outcomes = {check.key: check.outcome for check in found.to_rebuild}
    assert outcomes["datasets"] in ("absent", "told")


def test_licences_of_three_places_are_compared(small: Path) -> None:
    write(small, "LICENSE", NOTICE + MIT)
    found = reported(small)
    assert {said.rule for said in found.inventory.licenses} == {"card_head_license", "license_text"}
    assert [remark.code for remark in found.inventory.conflicts if remark.conflict] == ["places_disagree"]
    assert stated(found, "weights") == ("present", "Apache-2.0 AND MIT")


def test_a_changed_text_is_not_its_base_and_not_open(small: Path) -> None:
    swap(small, ("license: apache-2.0\n", ""))
    write(small, "LICENSE", NOTICE + MIT + "\nNot for commercial or military use.\n")
    found = reported(small)
    assert stated(found, "weights") == ("present", "LicenseRef-changed-MIT")
    assert found.mof_strict.classes[3].invalid
    assert "MIT" not in {said.license for said in found.inventory.licenses}
    assert {check.outcome for check in found.freedoms["weights"]} == {"unclear"}


@pytest.mark.parametrize(
    ("license_", "use", "act"),
    [
        ("apache-2.0", "granted", "pass"),
        ("cc-by-nc-4.0", "limited", "fail"),
        ("llama3.1", "limited", "fail"),
        ("openrail", "limited", "review"),
        ("some-licence-of-nobody", "unclear", "review"),
    ],
)
def test_clauses_limit_freedoms(small: Path, license_: str, use: str, act: str) -> None:
    swap(small, ("apache-2.0", license_))
    found = reported(small)
    freedoms = {check.key: check for check in found.freedoms["weights"]}
    assert freedoms["use"].outcome == use
    assert {check.key: check.outcome for check in found.ai_act.checks}["rights"] == act
    if use == "limited":
        assert all(reason.code in clauses.LIMITED for reason in freedoms["use"].reasons)


def test_a_threshold_is_told_with_its_number() -> None:
    license_ = declared("llama3.1").license
    limits = {reason.code: dict(reason.facts) for reason in clauses.of(license_)}
    assert limits["threshold"]["above"] == "700000000"
    assert limits["naming"]["words"] == "Built with Llama"


def test_open_data_information_is_for_a_person_to_judge(small: Path) -> None:
    outcomes = {check.key: check.outcome for check in reported(small).osi.checks}
    assert outcomes == {"data_information": "review", "code": "not_shown", "parameters": "met"}
    assert reported(small).osi.outcome == "not_shown"


def test_an_engine_of_this_computer_stands_for_the_code_to_run_it(small: Path) -> None:
    without, with_ = ({check.key: check.outcome for check in reported(small, one).to_run} for one in ("", "llama.cpp"))
    assert without["inference_code"] == "not_shown"
    assert with_["inference_code"] == "there"


def test_the_yaml_form_lets_nothing_inherit(small: Path) -> None:
    body = mot_yaml.body(reported(small).inventory)
    listed = {one["name"]: one["license"] for one in body["release"]["components"]}
    assert listed["Model parameters (Final)"] == "Apache-2.0"
    assert listed["Training code"] == "unlicensed"
    assert mof.of_release(body["release"]).classes[3].progress <= reported(small).mof_as_published.classes[3].progress


def test_steps_to_the_next_class_name_what_is_missing(small: Path) -> None:
    found = reported(small)
    assert found.next_class == 3
    assert {"evaluation_results", "model_card"} <= {check.key for check in found.next_steps}
    assert "weights" not in {check.key for check in found.next_steps}


def test_links_out_of_the_folder_show_nothing(small: Path, tmp_path: Path) -> None:
    write(tmp_path, "outside/train.py", "# SPDX-License-Identifier: MIT\n")
    (small / "inference.py").symlink_to(tmp_path / "outside" / "train.py")
    (small / "loop").symlink_to(small)
    assert stated(reported(small), "inference_code") == ("not_shown", None)


def test_a_file_that_only_has_the_name_of_weights_shows_none(small: Path) -> None:
    (small / "model.safetensors").write_bytes(b"PK\x03\x04" + bytes(100))
    assert stated(reported(small), "weights")[0] == "not_shown"


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "head",
    [
        BOMB,
        "license: *nothing",
        "license: [" * 5000,
        "license: " + "[" * 90_000 + "]" * 90_000,
        "license: !!python/object/apply:os.system ['true']",
        "base_model: small\nlicense: apache-2.0",
        "license: " + "x" * 100_000,
        "\x00\x01",
        "license:\n  a: b",
    ],
)
def test_a_hostile_head_of_a_card_breaks_nothing(small: Path, head: str) -> None:
    (small / "README.md").write_text(f"---\n{head}\n---\n# A model\n", "utf-8")
    found = reported(small)
    assert stated(found, "weights")[0] == "present"
    assert len(json.dumps(report.as_json(found))) < 200_000


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_licence_files_in_odd_encodings_are_read(small: Path, encoding: str) -> None:
    swap(small, ("license: apache-2.0\n", ""))
    (small / "LICENSE").write_bytes(("MIT License\n\nCopyright (c) 2026 Peña\n" + MIT).encode(encoding))
    assert stated(reported(small), "weights") == ("present", "MIT")


def test_config_of_great_depth_breaks_nothing(small: Path) -> None:
    (small / "config.json").write_text("[" * 200_000, "utf-8")
    assert stated(reported(small), "weights")[0] == "present"


NOTICE = "MIT License\n\nCopyright (c) 2026 Acme\n"
MIT = """
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def test_pickles_count_as_weights_where_they_are_the_model(tmp_path: Path) -> None:
    for name, body in (
        ("model.joblib", pickle.dumps({"coef": [1.0]})),
        ("text_classifier-v2.pkl", pickle.dumps([1.0])),
        ("sk_pipeline.joblib", gzip.compress(pickle.dumps([1.0]))),
        ("scaler.pkl", pickle.dumps([1.0])),
        ("vocabulary.joblib", pickle.dumps({"a": 1})),
        ("remodeled.pkl", pickle.dumps([1.0])),
        ("model.pkl", b"version https://git-lfs.github.com/spec/v1\n"),
    ):
        (tmp_path / name).write_bytes(body)
    found = {seen.where.place: seen.where.quote for seen in file_rules.seen(file_rules.listing(tmp_path))}
    assert found == {"model.joblib": "pickle", "text_classifier-v2.pkl": "pickle", "sk_pipeline.joblib": "joblib"}
