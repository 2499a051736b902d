"""The classes of the Model Openness Framework as its tool works them out: our own releases, worked out by its rules."""

from typing import Any

import pytest

from abierto.catalog.openness import mof
from abierto.catalog.openness.evidence import BY_KEY, COMPONENTS

REQUIRED = {level: [one.key for one in COMPONENTS if one.required and one.level >= level] for level in (3, 2, 1)}


def release(
    *keys: str, license_: str | None = "MIT", shared: dict[str, str] | None = None, **own: str
) -> dict[str, Any]:
    """A release with these components. own: licences of single components by their key."""
    components = []
    for key in keys:
        stated = own.get(key, license_)
        components.append({"name": BY_KEY[key].name, **({"license": stated} if stated is not None else {})})
    return {"components": components, "license": {kind: {"name": name} for kind, name in (shared or {}).items()}}


def progress(body: dict[str, Any]) -> tuple[int, list[int]]:
    found = mof.of_release(body)
    return found.level, [round(found.classes[level].progress) for level in (3, 2, 1)]


CLASS_3, CLASS_2, CLASS_1 = REQUIRED[3], REQUIRED[2], REQUIRED[1]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (release(), (0, [0, 0, 0])),
        (release(*CLASS_3), (3, [100, 60, 0])),
        (release(*CLASS_2), (2, [100, 100, 71])),
        (release(*CLASS_1), (1, [100, 100, 100])),
        # Three of six, and nothing above a class that is not complete.
        (release("architecture", "weights", "model_card", "training_code", "datasets"), (0, [50, 0, 0])),
        # Components that are not required never count.
        (release("sample_outputs", "libraries", "metadata"), (0, [0, 0, 0])),
        # Without a licence anywhere nothing counts; one of the release flows to all of them.
        (release(*CLASS_3, license_=None), (0, [0, 0, 0])),
        (release(*CLASS_3, license_=None, shared={"distribution": "Apache-2.0"}), (3, [100, 60, 0])),
        # That of a kind of content comes before that of the whole.
        (release(*CLASS_3, license_=None, shared={"document": "no-licence", "distribution": "MIT"}), (0, [33, 0, 0])),
        # `unlicensed` keeps a component from it.
        (release(*CLASS_3, license_=None, weights="unlicensed", shared={"distribution": "MIT"}), (0, [83, 0, 0])),
        # Identifiers are compared letter by letter.
        (release(*CLASS_3, weights="apache-2.0"), (0, [83, 0, 0])),
        (release(*CLASS_3, weights="Apache-2.0"), (3, [100, 60, 0])),
        # What the tool does not know as open.
        (release(*CLASS_3, weights="PDDL-1.0"), (0, [83, 0, 0])),
        (release(*CLASS_3, weights="ODC-PDDL-1.0"), (3, [100, 60, 0])),
        (release(*CLASS_3, weights="CC-BY-NC-4.0"), (0, [83, 0, 0])),
        # Free to the FSF only is open to it.
        (release(*CLASS_3, weights="WTFPL"), (3, [100, 60, 0])),
    ],
)
def test_classes_and_percentages(body: dict[str, Any], expected: tuple[int, list[int]]) -> None:
    assert progress(body) == expected


def test_a_paper_stands_for_the_report() -> None:
    without = [key for key in CLASS_1 if key != "technical_report"]
    assert progress(release(*without)) == (1, [100, 100, 100])
    assert progress(release(*(key for key in without if key != "paper")))[0] == 0
    unlicensed = release(*without, paper="unlicensed")
    assert progress(unlicensed)[0] == 0
    assert BY_KEY["paper"].id in mof.of_release(unlicensed).classes[3].unlicensed


def test_an_open_licence_for_another_kind_of_content_is_told_and_counts() -> None:
    found = mof.of_release(release(*CLASS_3, model_card="MIT", weights="MIT"))
    assert found.level == 3
    assert BY_KEY["model_card"].id in found.not_type_appropriate
    assert BY_KEY["architecture"].id not in found.not_type_appropriate


def test_a_component_that_the_framework_does_not_have_is_refused() -> None:
    with pytest.raises(KeyError):
        mof.of_release({"components": [{"name": "Training dataset", "license": "MIT"}]})
