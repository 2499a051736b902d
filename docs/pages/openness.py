"""The reports on our own starter models, as `abierto openness --html` makes them: from their cards in the catalog; of
the one that is made here, from its folder too."""

from pathlib import Path

from abierto import __version__, catalog, locale
from abierto.catalog.openness import collect, page, report
from docs.pages.words import Words

# With what runs them, where that is not a part of the model.
STARTERS = {"smollm2:135m": "llama.cpp", "use-multilingual": "", "trazo": ""}
MADE_HERE = Path(__file__).parents[2] / "models"


def pages(words: Words) -> dict[str, str]:
    """The name of each file, with the page. Its date is the last day on which a document was read for the card."""
    before = locale.current()
    locale.use(words.language)
    try:
        return {f"{name.replace(':', '-')}.html": _page(name) for name in STARTERS}
    finally:
        locale.use(before)


def _page(name: str) -> str:
    card = catalog.shipped()[name]
    read = max(one.read for one in card.evidence)
    folder = MADE_HERE / name
    seen = collect.folder(name, folder, card) if folder.is_dir() else collect.catalog_card(card)
    found = report.of(seen, STARTERS[name])
    return page.html(found, locale.text("openness.made", version=__version__, date=read))
