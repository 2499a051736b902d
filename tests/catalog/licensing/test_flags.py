"""Which licences count as open, by the lists that say so."""

import pytest

from abierto.catalog.licensing.flags import OPEN_DATA, PUBLISHED_OPEN_DATA, flags, is_open, is_open_as_published


@pytest.mark.parametrize(
    "identifier",
    [
        "Apache-2.0",
        "mit",
        "GPL-3.0",
        "GPL-3.0-or-later",
        "CC-BY-4.0",
        "CC0-1.0",
        "ODbL-1.0",
        "PDDL-1.0",
        "OpenMDW-1.0",
        "BSL-1.0",
        "GFDL-1.3",
    ],
)
def test_open(identifier: str) -> None:
    assert is_open(identifier)


@pytest.mark.parametrize(
    "identifier",
    ["CC-BY-NC-4.0", "CC-BY-ND-4.0", "BUSL-1.1", "ODC-PDDL-1.0", "OpenMDW-1.1", "", "other", "MIT OR Apache-2.0"],
)
def test_not_open(identifier: str) -> None:
    assert not is_open(identifier)


def test_every_open_data_licence_of_ours_is_on_the_spdx_list() -> None:
    assert {name for name in OPEN_DATA if flags(name) is None} == set()
    assert {name for name in PUBLISHED_OPEN_DATA if flags(name) is None} == {"ODC-PDDL-1.0"}


def test_the_list_spells_the_identifier() -> None:
    found = flags("apache-2.0")
    assert found
    assert (found.id, found.osi_approved, found.deprecated) == ("Apache-2.0", True, False)


def test_the_published_tool_reads_identifiers_to_the_letter() -> None:
    assert is_open_as_published("Apache-2.0")
    assert not is_open_as_published("apache-2.0")
    assert is_open_as_published("ODC-PDDL-1.0")
    assert not is_open_as_published("PDDL-1.0")
    assert not is_open_as_published("unlicensed")
