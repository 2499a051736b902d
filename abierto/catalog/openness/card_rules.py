"""What a model card gives evidence of: sections, links, entries of its head, and statements that something is missing.

A word alone shows nothing. A component is present where the card itself holds it (a table of results, a section about
the data) or links to it from a sentence that says what the link is; it is absent where a sentence says so. Links are
not opened. Sentences are read in English.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from abierto.catalog.openness.card_text import CardText, Link, Section
from abierto.catalog.openness.evidence import Seen, Where

LEAST_TEXT = 200  # characters; a section with less tells of nothing
_UNFILLED = re.compile(r"\[more information needed\]|\bTODO\b|\bTBD\b", re.IGNORECASE)
_CODE_HOST = re.compile(r"https?://(www\.)?(github\.com|gitlab\.com|codeberg\.org|bitbucket\.org)/[^/]+/[^/]")
_DATA_HOST = re.compile(
    r"https?://(www\.)?(huggingface\.co/datasets/|hf\.co/datasets/|zenodo\.org/|kaggle\.com/datasets/)"
)
_PAPER_HOST = re.compile(
    r"https?://(www\.)?(arxiv\.org/(abs|pdf)/|doi\.org/|aclanthology\.org/|openreview\.net/|huggingface\.co/papers/)"
    r"|\.pdf$"
)
_REPOSITORY = re.compile(r"\brepository\b|\bsource code\b", re.IGNORECASE)
_PROMISED = re.compile(
    r"\b(coming soon|will (soon )?be (released|published|available)|to be released)\b", re.IGNORECASE
)

# component -> the host that its links have, and what the sentence, its label or the headings above it say
_LINKS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (
        "training_code",
        _CODE_HOST,
        r"\b(pre-?)?train(ing)?\b.{0,40}\b(code|scripts?|recipes?)\b|\bfine-?tun\w+ (code|scripts?|recipes?)\b",
    ),
    (
        "inference_code",
        _CODE_HOST,
        r"\binference\b.{0,30}\b(code|scripts?|repository|library)\b|\bcode\b.{0,20}\binference\b",
    ),
    ("evaluation_code", _CODE_HOST, r"\bevaluat\w+\b.{0,80}\b(code|scripts?|harness|lighteval|to run them)\b"),
    (
        "preprocessing_code",
        _CODE_HOST,
        r"\b(pre-?process\w*|filter\w*|dedup\w*|clean\w*|curation)\b.{0,30}\b(code|scripts?|pipeline)\b",
    ),
    ("architecture", _CODE_HOST, r"\b(model(l?ing)?|architecture)\b.{0,15}\b(code|implementation)\b"),
    ("checkpoints", re.compile(r"https?://"), r"\bintermediate (checkpoints?|weights)\b"),
    ("evaluation_data", _DATA_HOST, r"\b(evaluat\w+|benchmarks?|test sets?)\b"),
    ("datasets", _DATA_HOST, r"\b(train\w*|fine-?tun\w*|pre-?train\w*|SFT|datasets?|corpus|corpora)\b"),
    ("technical_report", re.compile(r"https?://"), r"\b(technical|tech) report\b"),
    ("paper", _PAPER_HOST, r"\b(our|the|this|associated) (research )?paper\b|\bpaper\W{0,4}(\[|:|http)|^\W*paper\b"),
)
_LINK_WORDS = tuple((key, host, re.compile(words, re.IGNORECASE)) for key, host, words in _LINKS)

_THINGS: Mapping[str, str] = {
    "datasets": r"(training|pre-?training|fine-?tuning) (data|datasets?|corpus)",
    "training_code": r"training (code|scripts?|recipes?)",
    "evaluation_code": r"evaluation (code|scripts?)",
    "evaluation_data": r"evaluation (data|datasets?)",
    "preprocessing_code": r"(pre-?processing|filtering) (code|scripts?|pipeline)",
    "checkpoints": r"intermediate (checkpoints?|weights)",
    "weights": r"model weights",
}
_DENIED = r"\b(is|are|was|were|will|can|has|have)( been)?( ?not|n't|not)( yet)?( be| been)? (publicly |openly )?"
_DENIED += (
    r"(released|public|published|available|shared|disclosed|open-?sourced)\b|\bremains? (proprietary|private|closed)\b"
)
_REFUSES = r"\b(do|does|did|will|can)( ?not|n't|not) (plan to )?(release|publish|share|disclose|open-?source)\b"
_ABSENT = tuple(
    (key, re.compile(rf"\b{thing}\b[^.;,]{{0,40}}?({_DENIED})|({_REFUSES})[^.;,]{{0,30}}?\b{thing}\b", re.IGNORECASE))
    for key, thing in _THINGS.items()
)

_RESULTS = re.compile(r"\b(evaluations?|results?|benchmarks?|performance|metrics)\b", re.IGNORECASE)
_MEASURES = re.compile(r"\b(metrics?|benchmarks?|accuracy|score|WER|F1|BLEU)\b", re.IGNORECASE)
_DATA = re.compile(
    r"\b(training|pre-?training|fine-?tuning) (data|datasets?|corpus)\b|^([\d.]+ )?(datasets?|data)$", re.IGNORECASE
)
_CITATION = re.compile(r"\b(citation|citing|cite|bibtex)\b", re.IGNORECASE)
# What program text shows that loads a model, or asks one that was started.
_LOADS = re.compile(
    r"\.from_pretrained\(|\bpipeline\(|\bvllm serve\b|\bchat\.completions\.create\("
    r"|\b(llama-cli|llama-server|ollama run)\b"
)
_LISTED_ARCHITECTURE = re.compile(r"^\W*(model )?architecture\W*:\W*\w", re.IGNORECASE)
_ASPECTS: Mapping[str, str] = {
    "limitations": r"\b(limitations?|risks?|out-of-scope)\b",
    "capabilities": r"\b(capabilit\w+|intended uses?|direct use|uses?|model (summary|description|details)|overview)\b",
    "instructions": r"\b(how to (use|run|get started)|usage|quick ?start|get(ting)? started|inference)\b",
    "hardware": r"\b(hardware|compute infrastructure|training infrastructure)\b",
    "architecture": r"\b(model )?architecture\b",
    "training": r"\b(training|training procedure|pre-?training)\b",
    "marking": r"\b(marks?|marking|watermark\w*|content credentials)\b",
}
# The parts of a datasheet: https://arxiv.org/abs/1803.09010, section 3.
_DATASHEET = (
    r"\bmotivation\b",
    r"\bcomposition\b",
    r"\bcollection\b",
    r"\b(preprocessing|cleaning|labell?ing)\b",
    r"\buses?\b",
    r"\bdistribution\b",
    r"\bmaintenance\b",
)


def seen(card: CardText) -> Iterator[Seen]:
    """All that the card is evidence of, in the order of the rules."""
    yield from _itself(card)
    yield from _from_head(card)
    yield from _results(card)
    for link in card.links():
        yield from _linked(card, link)
    yield from _cited(card)
    yield from _denied(card)


def notes(card: CardText) -> dict[str, Where]:
    """Where the card tells of an aspect: the first section with a heading for it that says something; of its use,
    also program text that loads it; of the architecture, also an item of a list."""
    found: dict[str, Where] = {}
    for aspect, words in _ASPECTS.items():
        pattern = re.compile(words, re.IGNORECASE)
        for section in _telling(card):
            if pattern.search(section.path[-1] if section.path else ""):
                found[aspect] = card.where(section)
                break
    loads = next((section for section in card.sections if any(map(_LOADS.search, section.fences))), None)
    if loads:
        found.setdefault("instructions", card.where(loads))
    for sentence, line, path in card.sentences():
        if _LISTED_ARCHITECTURE.match(sentence):
            found.setdefault("architecture", card.at(line, path, sentence))
    data = next((section for section in _telling(card) if section.path and _DATA.search(section.path[-1])), None)
    if data:
        found["data"] = card.where(data)
    return found


def covered(document: CardText) -> tuple[str, ...]:
    """What a report or a data card has a part about: the aspects of `notes`, `results` where it holds a table of them,
    `datasheet` where it has all parts of one."""
    titles = [section.path[-1] for section in _telling(document) if section.path]
    whole = all(any(re.search(part, title, re.IGNORECASE) for title in titles) for part in _DATASHEET)
    more = [*(["results"] if any(_results(document)) else []), *(["datasheet"] if whole else [])]
    return (*notes(document), *more)


def links(card: CardText) -> dict[str, str]:
    """Addresses that the card gives for the whole: of the repository of its code."""
    for link in card.links():
        if _CODE_HOST.match(link.url) and _REPOSITORY.search(link.sentence):
            return {"repository": link.url}
    return {}


def _telling(card: CardText) -> Iterator[Section]:
    for section in card.sections:
        said = _UNFILLED.sub("", section.text)
        if len(said) + sum(map(len, section.fences)) >= LEAST_TEXT // 4:
            yield section


def _itself(card: CardText) -> Iterator[Seen]:
    """The card, if it says anything; and what it tells of the data, in a section of its own."""
    said = sum(len(_UNFILLED.sub("", section.text)) for section in card.sections)
    if said >= LEAST_TEXT:
        body = (card.head_lines + 1, len(card.lines))
        yield Seen("model_card", Where(card.place, body), "card_with_text", file=True)
    for section in card.sections:
        told = _UNFILLED.sub("", section.text)
        if section.path and _DATA.search(section.path[-1]) and len(told) >= LEAST_TEXT:
            yield Seen("data_card", card.where(section), "card_section_on_data", file=True)


def _from_head(card: CardText) -> Iterator[Seen]:
    for name in _listed(card.head.get("datasets")):
        if re.fullmatch(r"[\w.-]+/[\w.-]+", name):
            where = card.in_head("datasets")
            address = f"https://huggingface.co/datasets/{name}"
            yield Seen("datasets", Where(address, section=where.place, quote=where.quote), "card_head_datasets")
    index = card.head.get("model-index")
    if isinstance(index, list) and any(_has_result(model) for model in index):
        yield Seen("evaluation_results", card.in_head("model-index"), "card_head_model_index", file=True)
    widget = card.head.get("widget")
    if isinstance(widget, list) and any(isinstance(one, dict) and one.get("output") for one in widget):
        yield Seen("sample_outputs", card.in_head("widget"), "card_head_widget", file=True)


def _has_result(model: Any) -> bool:
    results = model.get("results") if isinstance(model, dict) else None
    metrics = [
        metric
        for result in (results if isinstance(results, list) else ())
        if isinstance(result, dict) and isinstance(result.get("metrics"), list)
        for metric in result["metrics"]
    ]
    return any(isinstance(metric, dict) and isinstance(metric.get("value"), int | float | str) for metric in metrics)


def _listed(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]


def _results(card: CardText) -> Iterator[Seen]:
    """A table with numbers, under a heading about results or with one of its own."""
    for section in card.sections:
        table = [line for line in section.text.splitlines() if line.count("|") >= 2]
        rows = [line for line in table if re.search(r"\d", line)]
        told = any(map(_RESULTS.search, section.path)) or (table and _MEASURES.search(table[0]))
        if told and len(rows) >= 2:
            yield Seen("evaluation_results", card.where(section, rows[0]), "card_table_of_results", file=True)


def _linked(card: CardText, link: Link) -> Iterator[Seen]:
    """The first component that the link's sentence names for such an address; else the nearest heading does."""
    if _PROMISED.search(link.sentence):
        return
    heading = link.path[-1] if link.path else ""
    prose = re.sub(r"\(?https?://\S+", "http", link.sentence)  # an address says nothing about itself
    for said, rule in ((prose, "card_link_in_sentence"), (heading, "card_link_under_heading")):
        for key, host, words in _LINK_WORDS:
            if host.search(link.url) and words.search(said):
                place = Where(
                    link.url, (link.line, link.line), " > ".join(link.path), card.at(link.line, (), link.sentence).quote
                )
                yield Seen(key, place, rule)
                return


def _cited(card: CardText) -> Iterator[Seen]:
    """The work that the card asks to cite, where it is to be found at an address or an arXiv number."""
    for section in card.sections:
        if not (section.path and _CITATION.search(section.path[-1])):
            continue
        for text in (*section.fences, section.text):
            number = re.search(r"eprint\s*=\s*[{\"](\d{4}\.\d{4,5})|arXiv:(\d{4}\.\d{4,5})", text)
            address = _PAPER_HOST.search(text) and re.search(r"https?://[^\s\"'{}()<>\]]+", text)
            url = f"https://arxiv.org/abs/{number[1] or number[2]}" if number else address[0] if address else ""
            if url:
                key = "technical_report" if re.search(r"technical report", text, re.IGNORECASE) else "paper"
                yield Seen(key, Where(url, (section.first, section.last), " > ".join(section.path)), "card_citation")
                return


def _denied(card: CardText) -> Iterator[Seen]:
    for sentence, line, path in card.sentences():
        for key, pattern in _ABSENT:
            if pattern.search(sentence):
                yield Seen(key, card.at(line, path, sentence), "card_says_absent", "absent")
