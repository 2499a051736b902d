"""The words by which a licence limits what may be done: how often each kind stands in a text. It knows no licences.

Two texts of one licence agree in these counts, however they are wrapped, quoted or marked up; a clause that was added
or taken away changes them.
"""

import re
from collections.abc import Mapping

# In normalised words, see `normalized`.
_KINDS: Mapping[str, str] = {
    "users": r"active users|\bmau\b",
    "revenue": r"\brevenues?\b|\bturnover\b",
    "commercial": r"non ?commercial|commercial (use|purpose|activit|product|service|advantage|gain)|commercially"
    r"|not for profit|\b(sell|resell|selling)\b",
    "research": r"research (purpose|use|only)|(academic|scientific|personal|educational) (use|purpose|research)"
    r"|evaluation purposes",
    "policy": r"acceptable use|(prohibited|restricted) uses?|use (policy|restrictions?)|use based restrictions",
    "forbidden": r"(shall|may|must|will|can) ?not (be )?(used?|deploy(ed)?|hosted?|run|train(ed)?|redistribute[d]?)\b"
    r"|not to use|prohibited|forbidden|not permitted|no use",
    "fields": r"\bmilitary|\bweapons?\b|surveillance|biometric|harm(ing)? (others|minors)",
    "regions": r"european union|united kingdom|south korea|territory",
    "naming": r"prominently display|built (with|on|using)|powered by|beginning of .{0,20}name",
    "training": r"(improve|train|distill|fine tune) (any |an |other |another |a )*(ai|large|language|machine|model)"
    r"|competitive|compet(e|ing|itor)",
    "permission": r"request a licen[sc]e|separate (commercial )?(licen[sc]e|agreement)|expressly grants you"
    r"|written (permission|consent|approval|authori[sz]ation)",
    "service": r"hosted service|as a service|over a network",
    "conditional": r"only if|unless you|you must|you shall|are required to",
}
_PATTERNS = {kind: re.compile(pattern) for kind, pattern in _KINDS.items()}


def normalized(text: str) -> str:
    """The words of a text in small letters, one space between them, without quotes, marks and markup."""
    return re.sub(r"[^\w.+%$']+", " ", text.lower().replace("\u2019", "'").replace("_", " ")).strip()


def limits(words: str) -> dict[str, int]:
    """How often each kind of limiting words stands in normalised words; kinds that do not are left out."""
    return {kind: found for kind, pattern in _PATTERNS.items() if (found := sum(1 for _ in pattern.finditer(words)))}
