"""Texts of licences: what is known is named, and what has a clause more, or less, is not.

Texts of the SPDX list are made from the patterns that `licenseclassifier` ships; for licences of models, whose texts
are not ours to copy, stand-ins of our own words with the same titles, lengths and kinds of limits.
"""

import re
from collections.abc import Iterator

import pytest

from abierto.catalog.licensing.reading import Outcome, Reading
from abierto.catalog.licensing.table import licenses
from abierto.catalog.licensing.tags import versions
from abierto.catalog.licensing.texts import LARGEST, of_text, signature
from bench.licenses import ADDED, PLACES, changed
from tests.catalog.openness.test_report import MIT
from tests.house.sources import ROOT
from tests.license_texts import spdx, stand_in

COMMON = "MIT Apache-2.0 BSD-2-Clause BSD-3-Clause ISC Zlib Unlicense MPL-2.0 GPL-2.0 GPL-3.0 LGPL-2.1 LGPL-3.0 NCSA"
COMMON += " AGPL-3.0 CC0-1.0 CC-BY-4.0 CC-BY-SA-4.0 CC-BY-ND-4.0 CDLA-Permissive-2.0"
COMMON += " OpenMDW-1.0 EPL-2.0 0BSD MIT-0 ODbL-1.0 PDDL-1.0"
READ = [name for name, one in licenses().items() if one.wording and one.wording.words]


def claimed(reading: Reading) -> frozenset[str]:
    return reading.possible if reading.outcome is not Outcome.UNCHECKED else frozenset()


@pytest.mark.parametrize("name", COMMON.split())
def test_a_text_of_the_spdx_list_is_known(name: str) -> None:
    assert of_text(spdx(name)).possible == set(versions(name))


def test_our_own_licence_is_known_in_every_encoding() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"):
        assert of_text(text.encode(encoding)).license == "Apache-2.0"
    assert of_text(text.replace("\n", "\r\n")).license == "Apache-2.0"


def additions() -> Iterator[tuple[str, str]]:
    for clause in ADDED:
        for place in PLACES:
            yield clause, place


@pytest.mark.parametrize("name", ["MIT", "Apache-2.0", "BSD-3-Clause", "MPL-2.0", "CC-BY-4.0", "GPL-3.0"])
def test_a_text_with_a_clause_more_is_not_its_base(name: str) -> None:
    for clause, place in additions():
        assert not claimed(of_text(changed(spdx(name), clause, place))), (clause, place)


@pytest.mark.parametrize("name", READ)
def test_a_licence_of_ours_is_known_and_not_with_a_clause_more(name: str) -> None:
    text = stand_in(name)
    assert of_text(text).license == name
    for clause in ADDED:
        found = of_text(f"{text}\n{clause}")
        assert not claimed(found), clause
        assert found.outcome is Outcome.CHANGED


def test_what_was_added_is_told() -> None:
    found = of_text(spdx("MIT") + "\n" + ADDED[0])
    assert found.outcome is Outcome.CHANGED
    assert found.candidates == ("MIT",)
    assert "users" in found.added


def test_a_right_that_was_taken_away() -> None:
    without = re.sub(r"(?i)\bsell\b", "", spdx("MIT"))
    assert of_text(without).outcome is Outcome.CHANGED
    allowed = spdx("BSD-3-Clause").replace("Neither", "The name")
    assert not claimed(of_text(allowed))


def test_a_title_without_its_text_is_no_licence() -> None:
    assert not claimed(of_text("LLAMA 4 COMMUNITY LICENSE AGREEMENT\nApril 5, 2025\nSee our site."))
    assert of_text("Coqui Public Model License 1.0.0\n\nSome text").outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "text", ["The code is under the MIT License.", "https://www.apache.org/licenses/LICENSE-2.0", "Copyright 2026 We"]
)
def test_a_mention_is_no_text(text: str) -> None:
    assert of_text(text).outcome is Outcome.UNKNOWN


def test_two_texts_are_not_one() -> None:
    found = of_text(spdx("MIT") + "\n\n" + spdx("Apache-2.0"))
    assert found.outcome is Outcome.SEVERAL
    assert set(found.candidates) == {"MIT", "Apache-2.0"}


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (b"", Outcome.ABSENT),
        (b"\x00\x01\x02", Outcome.UNREADABLE),
        (b"MIT " * LARGEST, Outcome.UNREADABLE),
        (b"\xff\xfe\x00", Outcome.ABSENT),
        (b"\xe9\xe8 licence", Outcome.UNKNOWN),
        (b"permission is hereby granted " * 8000, Outcome.UNKNOWN),
        (b"copyright " * 20000, Outcome.UNKNOWN),
    ],
)
def test_what_is_no_text_or_too_much_of_it(data: bytes, outcome: Outcome) -> None:
    assert of_text(data).outcome is outcome


def test_copies_of_one_text_have_one_signature_and_changed_ones_another() -> None:
    text = f"Copyright (c) 2026 Acme\n\n{MIT}"
    assert signature(text) == signature("(C) 1999 Somebody Else. All rights reserved.\n\n" + MIT.replace("\n", "\n  "))
    assert signature(text) != signature(text.replace("sublicense", "sell"))
    clause = "Copyright (c) 2026 Acme. Not for commercial use."
    assert signature(f"{clause}\n\n{MIT}") != signature(text)
