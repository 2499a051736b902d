"""The licences of models that no SPDX list has: how they are called, how their texts are known, what they say.

`licenses.yaml` holds them, each with where it was read. A fact that was not read is absent, never "no".
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# The words that terms are made of.
MEASURES = ("monthly_users", "monthly_revenue_usd", "yearly_revenue_usd", "yearly_revenue_cny")
CONSEQUENCES = ("permission", "naming", "ends")
OUTPUTS = ("free", "policy", "named", "no_training", "not_competing", "non_commercial", "licensors")
LIMITS = (
    "acceptable_use_policy",
    "prohibited_use_policy",
    "attachment",
    "military",
    "surveillance",
    "biometric",
    "trustworthy_ai_terms",
    "high_risk_uses",
    "guardrails",
    "model_service",
)
MODELS = ("multimodal",)
_FILE = Path(__file__).with_name("licenses.yaml")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A size of the user from which on something else holds.

    measure: `monthly_users`, `monthly_revenue_usd`, `yearly_revenue_usd`, `yearly_revenue_cny`. then: `permission` of
    the licensor is needed, `naming`: the name must be shown, `ends`: the licence does.
    """

    measure: str
    above: int
    then: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What a licence says, as far as it was read; None and empty: not read.

    commercial: whether commercial use is allowed at all. regions: excluded, by ISO 3166 code or `EU`; regions_only: the
    models that this concerns, empty for all. limits: what use is limited by. naming: the words to show; naming_only: by
    whose users. flow_down: the same limits bind whoever gets a copy or a derivative. outputs: `free`, `policy` (the
    same limits), `named` (models trained on them carry the name), `no_training` (of other models), `not_competing`,
    `non_commercial`, `licensors`. redistribution: whether copies may be passed on. remote: the licensor may restrict
    use from afar. latest: the latest version is to be used. share_alike: changes come under the same licence.
    """

    commercial: bool | None = None
    thresholds: tuple[Threshold, ...] = ()
    registration: bool | None = None
    regions: tuple[str, ...] = ()
    regions_only: str = ""
    limits: tuple[str, ...] = ()
    naming: str = ""
    naming_only: str = ""
    flow_down: bool | None = None
    outputs: str = ""
    redistribution: bool | None = None
    remote: bool | None = None
    latest: bool | None = None
    share_alike: bool | None = None

    @property
    def binds(self) -> bool:
        """Whether who passes a derivative on under an open licence would promise more than this licence grants."""
        return bool(self.commercial is False or self.thresholds or self.regions or self.limits or self.share_alike)


@dataclass(frozen=True, slots=True)
class Wording:
    """How a text is known. phrases: normalised, each stands in it, the first near the beginning. words: how many it
    has; limits: how often each kind of limiting words; None for a text that was not read whole."""

    phrases: tuple[str, ...]
    words: int | None = None
    limits: dict[str, int] | None = None


@dataclass(frozen=True, slots=True)
class ModelLicense:
    """One licence. id: an SPDX reference, ScanCode's where it has one. names: as cards declare it."""

    id: str
    name: str
    family: str
    names: tuple[str, ...]
    wording: Wording | None
    terms: Terms
    sources: tuple[str, ...]


@cache
def licenses() -> dict[str, ModelLicense]:
    """All of them by id."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    entries = yaml.load(_FILE.read_text("utf-8"), Loader=loader)  # noqa: S506 - both loaders are safe
    return {entry["id"]: _license(entry) for entry in entries}


@cache
def named() -> dict[str, tuple[str, ...]]:
    """The ids that a name can mean, by the name as `slug` writes it."""
    found: dict[str, list[str]] = {}
    for one in licenses().values():
        for name in {slug(other) for other in (one.id, one.name, *one.names)}:
            found.setdefault(name, []).append(one.id)
    return {name: tuple(ids) for name, ids in found.items()}


def slug(name: str) -> str:
    """A name in small letters with hyphens, so that spelling, brackets and spaces do not matter."""
    return re.sub(r"[^a-z0-9.+]+", "-", name.lower()).strip("-.")


def _license(entry: dict[str, Any]) -> ModelLicense:
    terms = dict(entry.get("terms", {}))
    for name in ("regions", "limits"):
        terms[name] = tuple(terms.get(name, ()))
    terms["thresholds"] = tuple(Threshold(**one) for one in terms.get("thresholds", ()))
    text = entry.get("text")
    wording = Wording(tuple(text["phrases"]), text.get("words"), text.get("limits")) if text else None
    return ModelLicense(
        id=entry["id"],
        name=entry["name"],
        family=entry["family"],
        names=tuple(entry["names"]),
        wording=wording,
        terms=Terms(**terms),
        sources=tuple(entry["sources"]),
    )
