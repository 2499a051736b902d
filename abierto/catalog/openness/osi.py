"""The Open Source AI Definition 1.0 (Open Source Initiative, 2024-10-28): data information, code, parameters.

Whether a description of the data suffices to build an equivalent system is for a person to judge, so that no more than
`review` comes out here. It wants no raw data. https://opensource.org/ai/open-source-ai-definition
"""

from abierto.catalog.openness import terms
from abierto.catalog.openness.evidence import Finding, Inventory
from abierto.catalog.openness.verdict import Check, Reason, Rubric, about

VERSION = "OSAID 1.0 (2024-10-28)"
CODE = ("architecture", "training_code", "preprocessing_code", "inference_code", "evaluation_code")
# The first of these that any of the three has is the outcome of all.
_WORST = ("not_met", "not_shown", "review", "met")


def judge(inventory: Inventory) -> Rubric:
    """The three elements, each `met`, `not_met`, `review` or `not_shown`."""
    checks = (_data(inventory), _code(inventory), _parameters(inventory["weights"]))
    return Rubric(VERSION, checks, min((check.outcome for check in checks), key=_WORST.index))


def _data(inventory: Inventory) -> Check:
    sets, card = inventory["datasets"], inventory["data_card"]
    reasons = [about(sets), about(card)]
    told = inventory.notes.get("data")
    if card.present or told:
        reasons.append(Reason("judge_description"))
        return Check("data_information", "review", tuple(reasons), (*card.where, *((told,) if told else ())))
    if sets.present:
        reasons.append(Reason("links_without_description"))
        return Check("data_information", "not_shown", tuple(reasons), sets.where)
    return Check("data_information", "not_met" if sets.status == "absent" else "not_shown", tuple(reasons), sets.where)


def _code(inventory: Inventory) -> Check:
    parts = [inventory[key] for key in CODE]
    outcome = min((_code_outcome(part) for part in parts), key=_WORST.index)
    return Check("code", outcome, tuple(map(about, parts)), tuple(where for part in parts for where in part.where[:1]))


def _code_outcome(part: Finding) -> str:
    if part.status == "absent":
        return "not_met"
    if not part.present or not part.license:
        return "not_shown"
    return "met" if terms.is_osi_approved(part.license) else "not_met"


def _parameters(weights: Finding) -> Check:
    if weights.status == "absent":
        outcome = "not_met"
    elif not weights.present or not weights.license:
        outcome = "not_shown"
    elif terms.is_osi_approved(weights.license):
        outcome = "met"
    else:
        # Terms for parameters may be approved that are no licence for software; which those are is not on a list.
        outcome = "review" if terms.is_open(weights.license, "data") else "not_met"
    return Check("parameters", outcome, (about(weights),), weights.where[:1])
