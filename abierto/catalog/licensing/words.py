"""The words of what was read of a licence, in the language of who reads them."""

from abierto.catalog.licensing.conflicts import Remark
from abierto.catalog.licensing.reading import Outcome, Reading
from abierto.catalog.licensing.tags import title_of
from abierto.locale import text


def sentence(remark: Remark) -> str:
    """A remark in the person's language."""
    facts = dict(remark.facts)
    if "kinds" in facts:
        facts["kinds"] = ", ".join(text(f"licensing.kind.{kind}") for kind in facts["kinds"].split(","))
    return text(f"licensing.{remark.code}", **facts)


def said(place: Reading) -> str:
    """What a place says."""
    more = " / …" if len(place.candidates) > 4 else ""
    candidates = " / ".join(place.candidates[:4]) + more
    reading = text(f"licensing.reading.{place.outcome.value}", license=named(place.license), candidates=candidates)
    different = place.said and place.outcome is not Outcome.KNOWN
    return text("licensing.said", reading=reading, said=place.said) if different else reading


def named(license_: str) -> str:
    """A licence with its title, where its identifier is none that people know."""
    if not license_.startswith("LicenseRef-"):
        return license_
    return text("licensing.named", name=title_of(license_), license=license_)
