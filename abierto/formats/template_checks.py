"""Looks for what a chat template has no need of: ways out of the template into the program that runs it.

Programs run templates in a sandbox of Jinja, and some did not. It reads the text and runs nothing; what it does not
find may be there nevertheless.
"""

import re
from collections.abc import Iterable

from abierto.formats.contents import Finding, short

MAX_NAMED = 10
_SUSPECT = re.compile(
    r"__\w{1,40}__"  # attributes by which Python's objects lead to all others
    r"|\|\s{0,9}attr\s{0,9}\("
    r"|\b(?:lipsum|cycler|joiner|self|config|request|url_for|get_flashed_messages)\s{0,9}[.\[]\s{0,9}['\"]?_"
    r"|\b(?:popen|subprocess|eval|exec|getattr|importlib|os\.system|builtins)\s{0,9}[(.]"
    r"|\{%-?\s{0,9}(?:include|import|from|extends)\b"
    r"|\\x5f\\x5f|\\u005f",
    re.IGNORECASE,
)


def findings(text: str, where: str = "") -> tuple[Finding, ...]:
    """What in a template reaches outside. where: what it is called, if it is one of several."""
    found = dict.fromkeys(short(match[0].strip(), 40) for match in _SUSPECT.finditer(text))
    if not found:
        return ()
    return (Finding("template_reaches_out", "executes", {"names": ", ".join(list(found)[:MAX_NAMED]), "where": where}),)


def of_all(templates: Iterable[tuple[str, str]]) -> tuple[Finding, ...]:
    """The same for templates by name."""
    return tuple(one for name, text in templates for one in findings(text, name))
