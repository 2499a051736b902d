"""The licence as a model's folder tells it: its card (README.md), its licence files, the header of its weights; and the
model that it was made from, as its card names it, or the configuration of an adapter.

It reads a few small files of the folder itself, never what a link leads to outside of it, and runs nothing.
"""

import json
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from abierto.catalog.licensing.conflicts import Remark, compare
from abierto.catalog.licensing.reading import Outcome, Reading
from abierto.catalog.licensing.tags import declared
from abierto.catalog.licensing.texts import LARGEST, decoded, of_text

MOST_FILES = 2000  # entries of a folder that are looked at
_TEXTS = re.compile(r"(?i)(licen[sc]e|copying|unlicense)([-_. ].*)?(?<!\.(json|yaml))")
_CARDS = ("readme.md", "modelcard.md", "model_card.md")
_FRONT = 64 * 1024  # bytes of a card in which its front matter ends, and of an adapter's configuration
_KEY = re.compile(r"(license|license_name|license_link|base_model)[ \t]*:[ \t]*(.*)")
_WEIGHTS = (".gguf", ".safetensors", ".onnx", ".bin", ".pt", ".ckpt")


@dataclass(frozen=True, slots=True)
class Licensing:
    """What the places that speak of a model's licence say, and where they disagree.

    base_model: what the model was made from, as its card or the configuration of an adapter names it.
    """

    declared: Reading
    texts: tuple[Reading, ...] = ()
    metadata: tuple[Reading, ...] = ()
    base_model: tuple[str, ...] = ()
    findings: tuple[Remark, ...] = ()

    @property
    def places(self) -> tuple[Reading, ...]:
        """All that was said, in the order of the arguments of `compare`."""
        said = (one for one in (self.declared, *self.metadata) if one.outcome is not Outcome.ABSENT)
        return (*said, *self.texts)


def of_folder(
    folder: Path | None, metadata: Sequence[Reading] = (), known: Callable[[str], Reading | None] | None = None
) -> Licensing:
    """What a folder says, beside what was read elsewhere.

    metadata: of the weights' header (`of_metadata`) and of other cards. known: what is declared of the model of this
    name, for the one that this was made from; None where nobody knows.
    """
    front, card = front_matter(folder) if folder else ({}, "")
    tag: list[str] = front.get("license", [])
    said = declared(tag, _first(front, "license_name"), _first(front, "license_link")).at(card)
    texts = tuple(_texts(folder)) if folder else ()
    bases = tuple(front.get("base_model", ())) or (_of_adapter(folder) if folder else ())
    base = next((reading.at(name) for name in bases if known and (reading := known(name))), None)
    return Licensing(said, texts, tuple(metadata), bases, compare(said, texts, metadata, base))


def of_metadata(metadata: Mapping[str, object], header: str) -> Reading:
    """What the header of a GGUF file declares. Some have the whole text where the name belongs."""
    tag, name, link = (_string(metadata, f"general.license{part}") for part in ("", ".name", ".link"))
    # Longer than any name or expression: the text itself.
    read = of_text(tag) if len(tag) > 1000 else declared(tag, name, link)
    return read.at(header)


def front_matter(folder: Path) -> tuple[dict[str, list[str]], str]:
    """The four keys of a card that speak of licences, as lists of words, and the name of the card's file.

    Read line by line: what is no word, list of words or quoted word is passed over, so nothing in it can grow.
    """
    for path in _files(folder):
        if path.name.lower() in _CARDS:
            data = _read(path, _FRONT)
            text = decoded(data[:_FRONT]) if data is not None else None
            found = re.match(r"\s*---[ \t]*\r?\n(.*?)\r?\n---", text or "", re.DOTALL)
            return (_keys(found[1]), path.name) if found else ({}, path.name)
    return {}, ""


def _of_adapter(folder: Path) -> tuple[str, ...]:
    """The model that an adapter is for, as peft writes it beside the weights."""
    data = _read(folder / "adapter_config.json", _FRONT) or b""
    try:
        body = json.loads(data) if len(data) <= _FRONT else None
    except (ValueError, RecursionError):
        return ()
    named = body.get("base_model_name_or_path") if isinstance(body, dict) else None
    return (named,) if isinstance(named, str) and named else ()


def _keys(front: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    key = ""
    for line in front.splitlines():
        item = re.fullmatch(r"[ \t]*-[ \t]+(.*)", line)
        started = _KEY.match(line)
        if started:
            key = started[1]
            found[key] = [word for part in _parts(started[2]) if (word := _word(part))]
        elif item and key:
            found[key] += filter(None, (_word(item[1]),))
        elif line.strip() and not line.startswith(("#", " ", "\t")):
            key = ""
    return found


def _parts(value: str) -> list[str]:
    value = value.strip()
    return value[1:-1].split(",") if value.startswith("[") and value.endswith("]") else [value]


def _word(value: str) -> str:
    value = value.strip()
    if value[:1] in "'\"" and len(value) > 1:
        return value[1:-1] if value.endswith(value[0]) else ""
    # Marks of YAML that stand for something else than themselves.
    return "" if value[:1] in "&*|>{[!%@`" else re.sub(r"\s+#.*", "", value)


def _first(front: Mapping[str, list[str]], key: str) -> str:
    return (front.get(key) or [""])[0]


def _string(metadata: Mapping[str, object], key: str) -> str:
    value = metadata.get(key)
    return value if isinstance(value, str) else ""


def _texts(folder: Path) -> Iterator[Reading]:
    for path in _files(folder):
        if _TEXTS.fullmatch(path.name) and path.suffix.lower() not in _WEIGHTS:
            data = _read(path, LARGEST)
            yield (of_text(data) if data is not None else Reading(Outcome.UNREADABLE)).at(path.name)


def _files(folder: Path) -> Iterator[Path]:
    """The entries of a folder in the order of their names, as far as there are not too many."""
    try:
        found = [path for _, path in zip(range(MOST_FILES), folder.iterdir(), strict=False)]
    except OSError:
        return
    yield from sorted(found)


def _read(path: Path, most: int) -> bytes | None:
    """The beginning of a file, a byte more than `most` where it is longer; None where it is none or leads elsewhere."""
    try:
        # The hub's cache links from its snapshots into its blobs, both below one folder.
        real, around = path.resolve(strict=True), path.parent.resolve()
        allowed = around.parents[1] if around.parent.name == "snapshots" else around
        if not real.is_relative_to(allowed) or not stat.S_ISREG(real.stat().st_mode):
            return None
        with real.open("rb") as file:
            return file.read(most + 1)
    except (OSError, RuntimeError):  # RuntimeError: a loop of links
        return None
