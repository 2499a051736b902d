"""Regulation (EU) 2024/1689: the exemption for free and open-source models (Article 53(2)), and marking (Article 50).

The checklist follows the Commission's guidelines of 18 July 2025, section 4.2, paragraphs 78 to 92; the numbering is
that of a copy, not of the Official Journal. It ends in `fail`, `not_shown` or `review`, never in `pass`: that is for a
person with legal training to say. It knows nothing of computing power, of systemic risk, or of who sells what.
"""

from abierto.catalog.openness import clauses, terms
from abierto.catalog.openness.evidence import Inventory
from abierto.catalog.openness.verdict import Check, Reason, Rubric, about

VERSION = "Regulation (EU) 2024/1689, guidelines of 2025-07-18"
USAGE = ("modality", "capabilities", "limitations", "instructions")
# Clauses that the guidelines name as reasons why a licence is not open; the others are for a person to judge.
_FORBIDDEN = ("no_commercial_use", "no_derivatives", "threshold", "regions", "no_redistribution")
# Tasks, in the hub's words, whose answers are synthetic text, sound, pictures or films.
_MAKES = frozenset(
    (
        "text-generation",
        "image-text-to-text",
        "text-to-speech",
        "text-to-audio",
        "text-to-image",
        "image-to-image",
        "text-to-video",
        "image-to-video",
        "text2text-generation",
        "translation",
        "summarization",
        "any-to-any",
    )
)
_MAKES_NONE = frozenset(
    (
        "automatic-speech-recognition",
        "feature-extraction",
        "sentence-similarity",
        "text-ranking",
        "text-classification",
        "image-classification",
        "token-classification",
        "fill-mask",
        "object-detection",
    )
)


def exemption(inventory: Inventory) -> Rubric:
    """Article 53(2), one check for each paragraph that can be looked at."""
    outcome, why = _license(inventory)
    checks = (
        Check("rights", outcome, why, inventory["weights"].where[:1]),
        _access(inventory),
        Check("restrictions", outcome, why),
        Check("derivatives", outcome, why),
        Check("disqualified", outcome, why),
        Check("use_limits", outcome if outcome != "fail" else "review", why),
        Check("monetisation", "review", (Reason("judge_monetisation"),)),
        _public_weights(inventory),
        _told("architecture_information", inventory, ("architecture",)),
        _told("usage_information", inventory, USAGE),
    )
    outcomes = {check.outcome for check in checks}
    return Rubric(VERSION, checks, next((one for one in ("fail", "not_shown") if one in outcomes), "review"))


def marking(inventory: Inventory) -> Check:
    """Article 50(2): whether a system with this model has to mark what it makes."""
    facts = {"task": inventory.task}
    if inventory.task in _MAKES:
        told = inventory.notes.get("marking")
        said = Reason("told", {"aspect": "marking"}) if told else Reason("marking_not_shown")
        return Check("marking", "applies", (Reason("makes", facts), said), (told,) if told else ())
    if inventory.task in _MAKES_NONE:
        return Check("marking", "not_concerned", (Reason("makes_none", facts),))
    return Check("marking", "not_shown", (Reason("task_unknown"),))


def _license(inventory: Inventory) -> tuple[str, tuple[Reason, ...]]:
    """What the licence of the weights says, as far as its identifier tells."""
    weights = inventory["weights"]
    if not weights.license:
        return "not_shown", (about(weights),)
    if terms.is_open(weights.license, "data"):
        return "pass", (about(weights),)
    limits = [reason for reason in clauses.of(weights.license) if reason.code not in clauses.HARMLESS]
    if any(reason.code in _FORBIDDEN for reason in limits):
        return "fail", tuple(limits)
    return "review", (Reason("judge_license", {"license": weights.license}), *limits)


def _access(inventory: Inventory) -> Check:
    """Asking who somebody is may be allowed, refusing some is not; which of these it is no file tells."""
    if inventory.gated:
        return Check("access", "review", (Reason("gated"),))
    return Check("access", "review", (Reason("judge_access"),))


def _public_weights(inventory: Inventory) -> Check:
    weights = inventory["weights"]
    outcome = {"present": "pass", "absent": "fail", "not_shown": "not_shown"}[weights.status]
    return Check("weights_public", outcome, (about(weights),), weights.where[:1])


def _told(key: str, inventory: Inventory, aspects: tuple[str, ...]) -> Check:
    told = {aspect: inventory.notes[aspect] for aspect in aspects if aspect in inventory.notes}
    reasons = tuple(Reason("told" if aspect in told else "not_told", {"aspect": aspect}) for aspect in aspects)
    return Check(key, "pass" if len(told) == len(aspects) else "not_shown", reasons, tuple(told.values()))
