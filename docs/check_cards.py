"""Compares the cards with the hub: whether what they lead to is still there, and is what they say.

`make check-cards` asks for every source `hf:` of every card, names of cards as arguments for these only. It ends with 0
where all agree, 1 where a card is wrong, and 3 where the hub could not be asked; then nothing is said of the cards.
HF_ENDPOINT, HF_TOKEN and the other settings of the hub's own client hold.
"""

import sys
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

from abierto import catalog, config
from abierto.catalog import Card
from abierto.catalog.card import Weights
from abierto.errors import (
    AmbiguousFile,
    FileNotInRepository,
    GatedModel,
    RepositoryNotFound,
    SourceUnreachable,
)
from abierto.store import hub
from abierto.store.hub_choice import HubFile, choose
from abierto.store.sources import HubSource, parse


@dataclass(frozen=True, slots=True)
class Difference:
    """What a card says of a form, and what the hub does. about: `repository`, `file`, `size` or `sha256`."""

    card: str
    form: str
    about: str
    card_says: str
    hub_says: str

    def __str__(self) -> str:
        return f"{self.card}, {self.form}: {self.about}: the card says {self.card_says}, the hub {self.hub_says}"


def differences(cards: Iterable[Card]) -> Iterator[Difference]:
    """What differs, card by card. Gated repositories cannot be looked into, and are passed over. Raises
    SourceUnreachable, PackageMissing."""
    for card in cards:
        for form, weights in {**card.weights, **card.projectors}.items():
            if weights.source.startswith("hf:"):
                yield from _differences(card.name, form, weights)


def _differences(name: str, form: str, weights: Weights) -> Iterator[Difference]:
    source = parse(weights.source)
    assert isinstance(source, HubSource)
    try:
        files = choose(source, _listed(source))
    except GatedModel:
        return
    except RepositoryNotFound:
        yield Difference(name, form, "repository", str(source), "nothing")
        return
    except (FileNotInRepository, AmbiguousFile) as error:
        yield Difference(name, form, "file", source.pattern or "one model", error.code)
        return
    size = sum(file.size for file in files)
    if weights.size is not None and weights.size != size:
        yield Difference(name, form, "size", str(weights.size), str(size))
    if weights.sha256 and len(files) == 1 and files[0].sha256 not in (None, weights.sha256):
        yield Difference(name, form, "sha256", weights.sha256, str(files[0].sha256))


def _listed(source: HubSource) -> tuple[HubFile, ...]:
    listing = _ended(hub.ask(source, config.certificates()))
    if listing.unasked:  # the cache of this computer knows nothing of what the hub has now
        raise SourceUnreachable(listing.host, listing.unasked)
    return listing.files


def _ended(steps: Generator[object, None, hub.Listing]) -> hub.Listing:
    """What a generator returns at its end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: hub.Listing = end.value
            return found


def main(names: list[str]) -> int:
    """Print what differs; the exit status."""
    known = catalog.cards()
    if unknown := [name for name in names if name not in known]:
        print(f"no card: {', '.join(unknown)}", file=sys.stderr)
        return 2
    found = 0
    try:
        for one in differences(known[name] for name in names or known):
            found += 1
            print(one, flush=True)
    except SourceUnreachable as error:
        print(f"the hub was not asked: {error}", file=sys.stderr)
        return 3
    print(f"cards: {len(names or known)}, differences: {found}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
