"""Which licence a text is, or that it is none that is known here.

SPDX texts are recognised by `licenseclassifier`, which wants nearly all words of a licence in their order, but lets a
few dozen pass where a name belongs. So what is left over is looked at, and the limiting words of the whole are counted:
a text with an added clause is never reported as the licence that it begins as. Licences of models are recognised by
`table`. It opens no file and gives no legal advice.
"""

import hashlib
import json
import re
from functools import cache
from pathlib import Path

from abierto.catalog.licensing.clauses import limits, normalized
from abierto.catalog.licensing.reading import Outcome, Reading
from abierto.catalog.licensing.table import ModelLicense, licenses
from abierto.catalog.licensing.tags import title_of, versions

LARGEST = 256 * 1024  # bytes; the longest licence of the SPDX list has a quarter of it
_HEAD = 60  # words from the beginning within which a title stands
_LEFT_OVER = 3  # words beside a licence that say nothing
_TOLERANCE = 0.02  # of the words: copies differ in page numbers and links
# Words without which a text is not the licence, though the classifier lets them be left out or be others.
_NEEDED = {
    "MIT": ("free of charge", "without restriction", "sublicense", "sell"),
    "BSD-3-Clause": ("neither|not be used|nor the",),
}
# The digest of what Creative Commons prints before each of its licences of version 4.0.
_PREAMBLE = "2028e14445e2c158"
_VERSION = re.compile(r"-(only|or-later)$")
_COPYRIGHT = re.compile(r"(?i)\W*(copyright|\(c\)|©|all rights reserved)[^.;]{0,160}\.?\W*(all rights reserved\W*)?")


def of_text(text: str | bytes) -> Reading:
    """Which licence a text is. Never a guess: what is not known word for word is unknown."""
    if len(text) > LARGEST:
        return Reading(Outcome.UNREADABLE)
    plain = text if isinstance(text, str) else decoded(text)
    if plain is None:
        return Reading(Outcome.UNREADABLE)
    words = normalized(plain)
    if not words:
        return Reading(Outcome.ABSENT)
    return _of_model(words) or _of_spdx(plain, words)


def decoded(data: bytes) -> str | None:
    """The text that bytes hold: UTF-8, UTF-16 or UTF-32 with their mark, else Latin; None where they hold no text."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\x00\x00\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(encoding, "replace").lstrip("\ufeff")
    if b"\x00" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _of_model(words: str) -> Reading | None:
    """The licence of ours whose title stands at the beginning; of several, the one whose whole wording fits."""
    head = " ".join(words.split(maxsplit=_HEAD)[:_HEAD])
    named = [one for one in licenses().values() if _has_title(one, head, words)]
    if not named:
        return None
    count, found = len(words.split()), limits(words)
    for one in named:
        if one.wording and one.wording.words and not _differs(one, count, found):
            return Reading(Outcome.KNOWN, license=one.id)
    read = [one for one in named if one.wording and one.wording.words]
    if not read:
        return Reading(Outcome.UNCHECKED, candidates=tuple(one.id for one in named))
    nearest = min(read, key=lambda one: abs(count - ((one.wording and one.wording.words) or 0)))
    expected = (nearest.wording and nearest.wording.limits) or {}
    # A few words under a title are no licence that was changed, only a mention.
    if count < 0.5 * ((nearest.wording and nearest.wording.words) or 0):
        return Reading(Outcome.UNKNOWN)
    return Reading(Outcome.CHANGED, candidates=(nearest.id,), added=_more(found, expected))


def _has_title(one: ModelLicense, head: str, words: str) -> bool:
    phrases = one.wording.phrases if one.wording else ()
    return bool(phrases) and phrases[0] in head and all(phrase in words for phrase in phrases[1:])


def _differs(one: ModelLicense, count: int, found: dict[str, int]) -> bool:
    wording = one.wording
    assert wording
    assert wording.words
    return abs(count - wording.words) > _TOLERANCE * wording.words or found != wording.limits


def _more(found: dict[str, int], expected: dict[str, int]) -> tuple[str, ...]:
    return tuple(kind for kind, times in found.items() if times > expected.get(kind, 0))


def signature(text: str) -> str:
    """What all copies of one text share: a digest of its words, without lines of copyright."""
    return _digest("\n".join(line for line in text.splitlines() if not _is_copyright(line)))


def _is_copyright(line: str) -> bool:
    return bool(_COPYRIGHT.fullmatch(line.strip())) and not limits(normalized(line))


@cache
def _signatures() -> dict[str, list[str]]:
    """The licences of the SPDX list by the signatures of their texts."""
    found: dict[str, list[str]] = json.loads(Path(__file__).with_name("spdx_signatures.json").read_text("utf-8"))
    return found


def _of_spdx(text: str, words: str) -> Reading:
    if same := _signatures().get(signature(text)):
        # Whether later versions hold as well, a text does not say.
        return _one_of(tuple(dict.fromkeys(one for name in same for one in versions(_VERSION.sub("", name)))))
    from licenseclassifier import identify_license

    # A bare address is a mention of a licence, not its text.
    regions = [found for found in identify_license(text, 0) if not text[found.start : found.end].startswith("http")]
    ids = tuple(dict.fromkeys(found.id for found in regions))
    if not regions:
        return Reading(Outcome.UNKNOWN)
    inside = " ".join(normalized(text[found.start : found.end]) for found in regions)
    beside = _beside(text, [(found.start, found.end) for found in regions], ids)
    if len(inside.split()) < 0.5 * len(words.split()):
        return Reading(Outcome.UNKNOWN)
    if len(ids) > 1:
        return Reading(Outcome.SEVERAL, candidates=ids)
    added = dict.fromkeys((*limits(beside), *_more(limits(inside), _usual(ids[0], inside))))
    lacks = any(not re.search(phrase, inside) for phrase in _NEEDED.get(ids[0], ()))
    if added or lacks or len(beside.split()) > _LEFT_OVER:
        return Reading(Outcome.CHANGED, candidates=ids, added=tuple(added))
    return _one_of(versions(ids[0]))


def _one_of(found: tuple[str, ...]) -> Reading:
    if len(found) > 1:
        return Reading(Outcome.AMBIGUOUS, candidates=found)
    return Reading(Outcome.KNOWN, license=found[0])


def _beside(text: str, regions: list[tuple[int, int]], ids: tuple[str, ...]) -> str:
    """The normalised words outside of the recognised regions, without titles and lines of copyright."""
    edges = [0, *(edge for region in regions for edge in region), len(text)]
    left: list[str] = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        gap = text[start:end]
        title, _, rest = gap.partition("Creative Commons Corporation")
        if _digest(rest) == _PREAMBLE:
            gap = title
        left += [line for line in gap.splitlines() if not _harmless(line, ids)]
    return normalized("\n".join(left))


def _harmless(line: str, ids: tuple[str, ...]) -> bool:
    said = normalized(line)
    if not said or _is_copyright(line):
        return True
    # A line of nothing but words of the licence's own name, which some write together and others apart.
    titles = ("".join(normalized(f"{one} {title_of(one)} license licence version").split()) for one in ids)
    return any(all(len(word) > 1 and word in title for word in said.split()) for title in titles)


def _digest(text: str) -> str:
    return hashlib.sha256(normalized(text).encode()).hexdigest()[:16]


def _usual(identifier: str, inside: str) -> dict[str, int]:
    """How often a licence itself uses each kind of limiting words, at most. A notice that only names a licence, as
    files have at their head, uses none."""
    own = _own_limits().get(identifier, {})
    return own if len(inside.split()) >= 0.8 * own.get("words", 0) else {}


@cache
def _own_limits() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = json.loads(Path(__file__).with_name("spdx_limits.json").read_text("utf-8"))
    return found
