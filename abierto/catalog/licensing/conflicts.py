"""Where the places that speak of a model's licence disagree, or leave a question open. It looks nothing up.

A remark carries a code and facts; the sentence for each is `licensing.<code>` in `abierto/locale`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from abierto.catalog.licensing.expressions import identifiers
from abierto.catalog.licensing.flags import is_open
from abierto.catalog.licensing.reading import Outcome, Reading
from abierto.catalog.licensing.table import licenses


@dataclass(frozen=True, slots=True)
class Remark:
    """One conflict or open question. conflict: two places cannot both be right. facts: strings for the sentence."""

    code: str
    conflict: bool
    facts: Mapping[str, str] = field(default_factory=dict)


def compare(
    declared: Reading, texts: Sequence[Reading] = (), metadata: Sequence[Reading] = (), base: Reading | None = None
) -> tuple[Remark, ...]:
    """What does not fit together. declared: of the card; texts: of licence files; metadata: of the weights' own
    header and of other cards; base: what the card of the model it was made from declares."""
    said = [one for one in (declared, *metadata) if one.outcome is not Outcome.ABSENT]
    found = [*_open_questions(said), *_of_texts(texts), *_between([*said, *texts])]
    if base:
        found += _inherited([*said, *texts], base)
    if not said and not any(one.possible for one in texts):
        found.append(Remark("nothing_declared", conflict=False))
    return tuple(found)


def _open_questions(said: Sequence[Reading]) -> Iterator[Remark]:
    codes = {
        Outcome.AMBIGUOUS: "ambiguous_tag",
        Outcome.UNNAMED: "license_without_name",
        Outcome.UNKNOWN: "unknown_name",
    }
    for one in said:
        if one.outcome in codes:
            yield Remark(codes[one.outcome], False, {"where": one.where, "said": one.said, **_choices(one)})


def _of_texts(texts: Sequence[Reading]) -> Iterator[Remark]:
    for one in texts:
        match one.outcome:
            case Outcome.CHANGED:
                facts = {"where": one.where, "like": one.candidates[0], "kinds": ",".join(one.added)}
                yield Remark("changed_text" if one.added else "altered_text", True, facts)
            case Outcome.UNCHECKED:
                yield Remark("unchecked_text", False, {"where": one.where, **_choices(one)})
            case Outcome.UNKNOWN:
                yield Remark("unknown_text", False, {"where": one.where})
            case Outcome.UNREADABLE:
                yield Remark("unreadable_text", False, {"where": one.where})
            case Outcome.SEVERAL:
                yield Remark("several_texts", False, {"where": one.where, **_choices(one)})


def _between(places: Sequence[Reading]) -> Iterator[Remark]:
    """Each place against the first that says something else."""
    told = [one for one in places if one.possible]
    for place, one in enumerate(told):
        other = next((earlier for earlier in told[:place] if not _agree(earlier, one)), None)
        if other:
            facts = {"where": other.where, "license": name(other), "other": one.where, "other_license": name(one)}
            yield Remark("places_disagree", True, facts)


def _agree(one: Reading, other: Reading) -> bool:
    """Whether both can be right: they share a licence, or one is the text of a licence that the other's expression
    names among others."""
    if one.possible & other.possible:
        return True
    named = {part for license_ in one.possible for part in identifiers(license_)}
    others = {part for license_ in other.possible for part in identifiers(license_)}
    return bool(named & others) and (len(named) > 1 or len(others) > 1)


def _inherited(places: Sequence[Reading], base: Reading) -> Iterator[Remark]:
    """A model made from one whose licence limits its use cannot come with fewer limits."""
    told = [one for one in places if one.possible]
    if not base.possible or not all(_binds(one) for one in base.possible):
        return
    for one in told:
        if not one.possible & base.possible and all(is_open(part) for own in one.possible for part in identifiers(own)):
            facts = {"where": one.where, "license": name(one), "base": base.where, "base_license": name(base)}
            yield Remark("base_has_limits", True, facts)
            return


def _binds(license_: str) -> bool:
    if license_ in licenses():
        return licenses()[license_].terms.binds
    return any("-NC" in part or "-ND" in part for part in identifiers(license_))


def name(of: Reading) -> str:
    """What a place says in one word: the licence, or what it can be."""
    return of.license or " / ".join(of.candidates[:3]) + (" / …" if len(of.candidates) > 3 else "")


def _choices(of: Reading) -> dict[str, str]:
    return {"candidates": name(of)} if of.candidates else {}
