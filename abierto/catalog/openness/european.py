"""The twelve dimensions of the European Open Source AI Index, each open, partial or closed.

As its parameters stand since 2026-03-13 (commit ff85b6f). The index knows no "not shown": what is not shown is closed
in it, and the reason says which of the two it is. A model without a base model is its own base. The verdict on
licences is derived, since the index's own do not follow its definition.
"""

from abierto.catalog.openness import terms
from abierto.catalog.openness.evidence import DECLARED_FILE, Finding, Inventory, Where
from abierto.catalog.openness.verdict import Check, Reason, Rubric, about

VERSION = "European Open Source AI Index, 12 dimensions (2026-03-13)"
_DOCUMENTED = ("architecture", "training_code", "inference_code", "evaluation_code", "preprocessing_code")
_CARD_ASPECTS = ("architecture", "data", "training")
_REPORT_ASPECTS = (*_CARD_ASPECTS, "results")
# Addresses at which a paper stands that others examined before.
_REVIEWED = ("aclanthology.org/", "openreview.net/", "proceedings.mlr.press/", "nature.com/articles/")


def judge(inventory: Inventory) -> Rubric:
    """All twelve, in the order of the index."""
    return Rubric(
        VERSION,
        (
            _of_parent(inventory, "datasources_basemodel", "datasets"),
            _data("datasources_endmodel", inventory),
            _of_parent(inventory, "weights_basemodel", "weights"),
            _weights("weights_endmodel", inventory),
            _training_code(inventory),
            _code(inventory),
            _told("hardware_architecture", inventory, ("hardware", "architecture")),
            _report(inventory),
            _paper(inventory["paper"]),
            _model_card(inventory),
            _datasheet(inventory),
            _licenses(inventory),
        ),
    )


def _of_parent(inventory: Inventory, key: str, component: str) -> Check:
    """Of the base model nothing is known here but its name."""
    if inventory.base_models:
        named = ", ".join(inventory.base_models)
        return Check(key, "closed", (Reason("base_not_opened", {"base": named}),))
    return _weights(key, inventory) if component == "weights" else _data(key, inventory)


def _data(key: str, inventory: Inventory) -> Check:
    """A link shows some of the data; that it is all of them no link can show. Who declares in the folder itself which
    data the model was trained with, under an open licence and with a data card, says that these are all."""
    sets, card = inventory["datasets"], inventory["data_card"]
    if sets.rule == DECLARED_FILE and card.present and terms.is_open(sets.license, "data"):
        return Check(key, "open", (about(sets), about(card), Reason("declared_whole")), (*sets.where, *card.where[:1]))
    return Check(key, "partial" if sets.present else "closed", (about(sets),), sets.where)


def _weights(key: str, inventory: Inventory) -> Check:
    weights = inventory["weights"]
    if not weights.present:
        return Check(key, "closed", (about(weights),))
    gated = (Reason("gated"),) if inventory.gated else ()
    return Check(key, "partial" if gated else "open", (about(weights), *gated), weights.where[:1])


def _training_code(inventory: Inventory) -> Check:
    """Code of data processing and of training: both, one, or none."""
    parts = (inventory["training_code"], inventory["preprocessing_code"])
    return _share("trainingcode", parts)


def _code(inventory: Inventory) -> Check:
    return _share("code", tuple(inventory[key] for key in _DOCUMENTED))


def _share(key: str, parts: tuple[Finding, ...]) -> Check:
    there = sum(part.present for part in parts)
    outcome = "open" if there == len(parts) else "partial" if there else "closed"
    return Check(key, outcome, tuple(map(about, parts)), tuple(where for part in parts for where in part.where[:1]))


def _told(key: str, inventory: Inventory, aspects: tuple[str, ...]) -> Check:
    told = [(aspect, inventory.notes[aspect]) for aspect in aspects if aspect in inventory.notes]
    outcome = "open" if len(told) == len(aspects) else "partial" if told else "closed"
    return Check(key, outcome, _aspects(inventory, aspects), tuple(where for _, where in told))


def _aspects(inventory: Inventory, aspects: tuple[str, ...]) -> tuple[Reason, ...]:
    return tuple(Reason("told" if aspect in inventory.notes else "not_told", {"aspect": aspect}) for aspect in aspects)


def _report(inventory: Inventory) -> Check:
    """A link shows that there is a report, not how much of the model it covers; one that lies here shows its parts."""
    parts = (inventory["technical_report"], inventory["paper"])
    there = [part for part in parts if part.present]
    where: tuple[Where, ...] = tuple(place for part in there for place in part.where[:1])
    whole = any(set(_REPORT_ASPECTS) <= set(inventory.documents.get(part.component.key, ())) for part in there)
    return Check("preprint", "open" if whole else "partial" if there else "closed", tuple(map(about, parts)), where)


def _paper(paper: Finding) -> Check:
    """The index asks for a peer-reviewed one, which a preprint's address does not show."""
    reviewed = [where for where in paper.where if any(address in where.place for address in _REVIEWED)]
    reasons = (about(paper),) if reviewed or not paper.present else (about(paper), Reason("not_peer_reviewed"))
    return Check("paper", "partial" if reviewed else "closed", reasons, tuple(reviewed))


def _model_card(inventory: Inventory) -> Check:
    card = inventory["model_card"]
    if not card.present:
        return Check("modelcard", "closed", (about(card),))
    results = inventory["evaluation_results"]
    whole = all(aspect in inventory.notes for aspect in _CARD_ASPECTS) and results.present
    reasons = (about(card), *_aspects(inventory, _CARD_ASPECTS), about(results))
    return Check("modelcard", "open" if whole else "partial", reasons, card.where[:1])


def _datasheet(inventory: Inventory) -> Check:
    """Whether each part of a datasheet (Gebru et al. 2021) is there can be seen, not how good its answers are."""
    card = inventory["data_card"]
    whole = "datasheet" in inventory.documents.get("data_card", ())
    outcome = "open" if card.present and whole else "partial" if card.present else "closed"
    return Check("datasheet", outcome, (about(card),), card.where[:1])


def _licenses(inventory: Inventory) -> Check:
    parts = (inventory["weights"], inventory["datasets"], inventory["training_code"])
    free = [part.present and terms.is_open(part.license, part.component.kind) for part in parts]
    outcome = "open" if all(free) else "partial" if any(free) else "closed"
    return Check("licenses", outcome, tuple(map(about, parts)))
