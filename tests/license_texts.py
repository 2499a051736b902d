"""Texts of licences for tests: of the SPDX list whole, of models' own licences stand-ins.

SPDX texts are made from the patterns that `licenseclassifier` ships. The texts of models' licences are not ours to
copy, so each has a stand-in of our own words with the same title, length and kinds of limits. A licence whose whole
text nobody counted has its title only.
"""

import gzip
import json
import re
from functools import cache
from importlib import resources

from abierto.catalog.licensing.clauses import limits, normalized
from abierto.catalog.licensing.table import licenses
from tests.house.sources import ROOT

# A phrase of each kind of limit that has no other kind in it.
PHRASES = {
    "users": "active users",
    "revenue": "revenue",
    "commercial": "noncommercial",
    "research": "research only",
    "policy": "acceptable use",
    "forbidden": "forbidden",
    "fields": "surveillance",
    "regions": "territory",
    "naming": "prominently display",
    "training": "competitive",
    "permission": "expressly grants you",
    "service": "as a service",
    "conditional": "you must",
}


def license_text(name: str) -> str:
    """The text that stands for a licence. name: an SPDX identifier, or the id of a licence of ours."""
    if name not in licenses():
        return spdx(name)
    wording = licenses()[name].wording
    return stand_in(name) if wording and wording.words else licenses()[name].name


@cache
def patterns() -> dict[str, str]:
    """The longest pattern of each licence: the others are of notices that name it."""
    data = gzip.decompress((resources.files("licenseclassifier") / "_engine" / "licenses.json.gz").read_bytes())
    found = [(entry["id"], entry["lre"]) for entry in json.loads(data) if entry.get("lre")]
    return dict(sorted(found, key=lambda pair: len(pair[1])))


def spdx(name: str) -> str:
    """A text that the pattern of a licence describes: of each choice the first, whatever may be left out is there."""
    if name == "Apache-2.0":
        return (ROOT / "LICENSE").read_text("utf-8")
    pattern = re.sub(r"(?s)//\*\*.*?\*\*//|__\d+__", " ", patterns()[name]).replace("??", "")
    innermost = re.compile(r"(?s)\(\(((?:(?!\(\(|\)\)).)*)\)\)")
    while innermost.search(pattern):
        pattern = innermost.sub(lambda found: " " + found[1].split("||")[0] + " ", pattern)
    return pattern.split("||")[0]


def stand_in(name: str) -> str:
    """A text of our own that has the title, the length and the limits of a licence of ours."""
    wording = licenses()[name].wording
    assert wording
    assert wording.words
    body = list(wording.phrases)
    missing = {
        kind: count - limits(normalized(" ".join(body))).get(kind, 0) for kind, count in (wording.limits or {}).items()
    }
    body += [PHRASES[kind] for kind, count in missing.items() for _ in range(count)]
    filler = wording.words - len(" ".join(body).split())
    return " plainly ".join(body) + " word" * (filler - len(body) + 1)
