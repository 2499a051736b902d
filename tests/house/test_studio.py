"""The studio's scripts: their sentences, their size, and what they may not do."""

import re

import pytest

from abierto.server import pages
from tests.house.sources import PACKAGE

STUDIO = PACKAGE / "server" / "studio"
SCRIPTS = {path: path.read_text("utf-8") for path in sorted(STUDIO.rglob("*.js")) if "vendor" not in path.parts}
WORDS = set(pages.words("en"))
CALLED = re.compile(r"""\bt\(\s*(?:"([\w.]+)"|`([^`]+)`)""")
LARGEST, WIDEST = 400, 150  # lines, letters


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) > 10


def test_every_sentence_that_is_asked_for_exists() -> None:
    missing = []
    for path, text in SCRIPTS.items():
        for whole, pattern in CALLED.findall(text):
            found = re.compile(re.sub(r"\$\{[^}]*\}", r"[\\w.]+", (whole or pattern).replace(".", r"\.")))
            if not any(map(found.fullmatch, WORDS)):
                missing.append((path.name, whole or pattern))
    assert not missing


def test_every_sentence_is_used() -> None:
    """By its whole name, or by a pattern whose gap is filled with a word that stands in a script."""
    everything = "\n".join(SCRIPTS.values())
    # Values of the API that scripts put into names: verdicts, how a speed is known, states, uses of a model.
    told = {"fits", "fits_context", "needs_more", "needs_more_free", "tune", "runs", "computer", "keyring", "loading"}
    told |= {"one_user", "one_shot", "long_prompt", "many"}
    words = set(re.findall(r"[\w.]+", everything)) | told
    patterns = [pattern for _, pattern in CALLED.findall(everything) if pattern]
    composed = [re.compile(re.sub(r"\$\{[^}]*\}", r"([\\w.]+)", one.replace(".", r"\."))) for one in patterns]
    unused = [
        key
        for key in WORDS
        if not key.startswith(pages.REPORTS)
        and f'"{key}"' not in everything
        and not any(found and set(found.groups()) <= words for one in composed for found in [one.fullmatch(key)])
    ]
    assert not unused


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_short_and_says_what_it_is(path: object) -> None:
    text = SCRIPTS[path]  # type: ignore[index]
    assert text.startswith("/** ")
    assert len(text.splitlines()) <= LARGEST
    assert max(map(len, text.splitlines())) <= WIDEST


def test_html_is_made_of_what_a_model_wrote_in_one_place_only() -> None:
    """There it was sanitised. Code is coloured by what escapes it."""
    places = {path.name for path, text in SCRIPTS.items() if "innerHTML" in text}
    assert places == {"markdown.js", "message.js"}
    assert not [
        path.name for path, text in SCRIPTS.items() if re.search(r"\beval\(|new Function|document\.write", text)
    ]
