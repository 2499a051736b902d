"""What the declared licence of a card means, and that a tag which does not tell stays open."""

import pytest

from abierto.catalog.licensing import table
from abierto.catalog.licensing.expressions import expression, identifiers
from abierto.catalog.licensing.flags import flags
from abierto.catalog.licensing.reading import Outcome
from abierto.catalog.licensing.table import licenses
from abierto.catalog.licensing.tags import declared, identifier

HUB = "afl-3.0 artistic-2.0 bsd-2-clause bsd-3-clause bsd-3-clause-clear cc0-1.0 cc-by-2.0 cc-by-4.0 cc-by-sa-4.0 isc"
HUB += " cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-4.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-2.0 wtfpl ecl-2.0"
HUB += " epl-2.0 etalab-2.0 eupl-1.1 lppl-1.3c ms-pl mpl-2.0 osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib mit"


@pytest.mark.parametrize("tag", HUB.split())
def test_a_tag_that_is_an_spdx_identifier(tag: str) -> None:
    assert declared(tag).license.lower() == tag


@pytest.mark.parametrize(
    ("said", "license_"),
    [
        ("Apache 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("The MIT License", "MIT"),
        ("bsl-1.0", "BSL-1.0"),
        ("odc-by", "ODC-By-1.0"),
        ("pddl", "PDDL-1.0"),
        ("lgpl-lr", "LGPLLR"),
        ("llama3.2", "LicenseRef-scancode-llama-3.2-license-2024"),
        ("openrail++", "LicenseRef-scancode-bigscience-open-rail-m2"),
        ("Qwen RESEARCH LICENSE AGREEMENT", "LicenseRef-qwen-research"),
        ("mit OR (apache-2.0 AND GPL-3.0)", "MIT OR (Apache-2.0 AND GPL-3.0)"),
        ("gpl-3.0-or-later with gcc-exception-3.1", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    ],
)
def test_what_a_word_means(said: str, license_: str) -> None:
    found = declared(said)
    assert (found.outcome, found.license) == (Outcome.KNOWN, license_)


def test_bsl_is_boost_and_never_the_business_source_license() -> None:
    found = flags(declared("bsl-1.0").license)
    assert found
    assert found.title == "Boost Software License 1.0"


def test_a_version_of_the_gnu_licences_does_not_tell_of_later_ones() -> None:
    found = declared("gpl-3.0")
    assert (found.outcome, found.license) == (Outcome.AMBIGUOUS, "")
    assert found.possible == {"GPL-3.0-only", "GPL-3.0-or-later"}
    assert declared("gpl-3.0-only").license == "GPL-3.0-only"


@pytest.mark.parametrize("family", ["bsd", "cc", "gpl", "lgpl", "gfdl", "openrail", "gemma", "modified-mit"])
def test_a_family_stays_open(family: str) -> None:
    found = declared(family)
    assert (found.outcome, found.license) == (Outcome.AMBIGUOUS, "")
    assert len(found.candidates) > 1


@pytest.mark.parametrize(
    "said", ["MIT OR", "OR MIT", "(MIT", "MIT)", "MIT AND nothing-known", "MIT WITH MIT", "MIT MIT"]
)
def test_what_is_no_expression_is_unknown(said: str) -> None:
    assert declared(said).outcome is Outcome.UNKNOWN


def test_other_asks_for_a_name() -> None:
    assert declared("other").outcome is Outcome.UNNAMED
    assert declared("other", "our-own-license").outcome is Outcome.UNKNOWN
    assert declared("other", "mrl", "https://mistral.ai/licenses/MRL-0.1.md").license == "LicenseRef-MRL-0.1"
    assert declared("other", "", "https://coqui.ai/cpml").license == "LicenseRef-CPML-1.0.0"
    assert declared("other", "", "https://example.org/LICENSE").outcome is Outcome.UNNAMED


def test_a_name_and_a_link_that_disagree_leave_it_open() -> None:
    found = declared("other", "sai-nc-community", "https://stability.ai/community-license")
    assert found.outcome is Outcome.AMBIGUOUS
    assert "LicenseRef-scancode-stability-ai-community-2024" in found.candidates
    assert "LicenseRef-scancode-stability-ai-nc-2023-12-06" in found.candidates


def test_a_list_does_not_say_whether_all_hold() -> None:
    assert declared(["mit"]).license == "MIT"
    assert declared(["mit", "apache-2.0"]).possible == {"MIT", "Apache-2.0"}
    assert declared(["mit", "whatever"]).outcome is Outcome.UNKNOWN
    assert declared([]).outcome is Outcome.ABSENT


@pytest.mark.parametrize("nothing", [None, "", "unknown", "None"])
def test_nothing_is_declared(nothing: str | None) -> None:
    assert declared(nothing).outcome is Outcome.ABSENT


def test_the_identifiers_of_an_expression() -> None:
    found = expression("(mit or apache-2.0) AND gpl-2.0-only WITH classpath-exception-2.0", identifier)
    assert identifiers(found) == ("MIT", "Apache-2.0", "GPL-2.0-only")


def test_every_licence_of_ours_is_whole() -> None:
    assert len(licenses()) >= 45
    for name, one in licenses().items():
        assert name.startswith("LicenseRef-")
        assert one.sources
        assert name in declared(one.name).possible
        assert all(name in declared(other).possible for other in one.names)


def test_terms_are_made_of_words_that_the_faces_know() -> None:
    for one in table.licenses().values():
        terms = one.terms
        assert {limit.measure for limit in terms.thresholds} <= set(table.MEASURES)
        assert {limit.then for limit in terms.thresholds} <= set(table.CONSEQUENCES)
        assert set(terms.limits) <= set(table.LIMITS)
        assert terms.outputs in ("", *table.OUTPUTS)
        assert terms.regions_only in ("", *table.MODELS)
