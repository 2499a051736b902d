"""The documents are true: generated pages are fresh, commands exist, code runs, and the toy engine can be built."""

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from abierto import __version__
from abierto.cli import COMMANDS
from abierto.cli.words import Group
from abierto.runtime import ask

REPOSITORY = Path(__file__).parent.parent
DOCS = REPOSITORY / "docs"
LANGUAGES = ("en", "es")
PAGES = sorted(path.relative_to(REPOSITORY).as_posix() for path in DOCS.glob("*/*/*.md"))
READMES = ("README.md", "README.es.md")
NEEDS_MODEL = "<!-- needs the starter model -->\n"


def read(page: str) -> str:
    """The text of a page."""
    return (REPOSITORY / page).read_text("utf-8")


def blocks(page: str, language: str) -> list[tuple[str, str]]:
    """The code blocks in a language, indented ones too: the line before each, and its text."""
    found = re.findall(rf"(?ms)^([^\n]*\n)([ ]*)```{language}\n(.*?)\n[ ]*```$", read(page))
    return [(before, re.sub(rf"(?m)^{indent}", "", code)) for before, indent, code in found]


def run(code: str, **environment: str) -> str:
    """What a Python program writes. Fails with what it complained about."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, f"{code}\n{done.stderr}"
    return done.stdout


def test_the_generated_pages_are_fresh() -> None:
    """What fails here, `make docs` writes anew."""
    done = subprocess.run(
        [sys.executable, DOCS / "generate.py", "--check"],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def commands(page: str) -> list[list[str]]:
    """The calls of `abierto` in the shell blocks of a page, without what stands before and after them."""
    lines = [line for _, code in blocks(page, "sh") for line in code.splitlines()]
    calls = [shlex.split(part, comments=True) for line in lines for part in line.split(" | ")]
    bare = [[word for at, word in enumerate(call) if at or "=" not in word] for call in calls]
    return [call[1:] for call in bare if call and call[0] == "abierto"]


@pytest.mark.parametrize("page", [*READMES, *PAGES])
def test_every_command_in_the_documents_exists(page: str) -> None:
    group = Group(COMMANDS, __version__)
    for name, *arguments in commands(page):
        command = group.get_command(click.Context(group), name)
        assert command, name
        command.make_context(name, arguments)


def test_the_documents_name_commands() -> None:
    assert len(commands("README.md")) >= 5
    assert ["pull", "smollm2:135m"] in commands("docs/en/guides/pull-models.md")


@pytest.mark.parametrize("page", [page for page in [*READMES, *PAGES] if "add-an-engine" not in page])
def test_every_python_block_runs(page: str) -> None:
    code = [block for before, block in blocks(page, "python") if before != NEEDS_MODEL]
    if code:
        run("\n".join(code), ABIERTO_MODEL="echo")


@pytest.mark.model
def test_the_python_blocks_that_need_a_model_run(starter_home: Path) -> None:
    code = [block for page in PAGES for before, block in blocks(page, "python") if before == NEEDS_MODEL]
    assert len(code) == len(LANGUAGES)
    for block in code:
        assert len(run(block, ABIERTO_HOME=str(starter_home)).split()) >= 2


def test_the_docstring_of_chat_tells_the_truth() -> None:
    found = doctest.testmod(ask)
    assert (found.failed, found.attempted) == (0, 3)


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("docs/en/guides/")])
@pytest.mark.parametrize("language", ["sh", "python", "toml", "powershell"])
def test_code_is_the_same_in_both_languages(page: str, language: str) -> None:
    assert blocks(page, language) == blocks(page.replace("/en/", "/es/"), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_recorded_session_loads_nothing(language: str) -> None:
    """A picture that fetched a font would tell somebody who reads it."""
    picture = (DOCS / "images" / f"session.{language}.svg").read_text("utf-8")
    assert picture.startswith("<svg")
    assert set(re.findall(r"https?://[^\"'\s)<]+", picture)) <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_in_the_index(language: str) -> None:
    index = read(f"docs/{language}/README.md")
    pages = [page.removeprefix(f"docs/{language}/") for page in PAGES if page.startswith(f"docs/{language}/")]
    assert not [page for page in pages if f"]({page})" not in index]


def anchors(page: Path) -> set[str]:
    """The places in a page that a link can name, as GitHub makes them from headings."""
    headings = re.findall(r"(?m)^#+ (.+)$", page.read_text("utf-8"))
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_place_that_a_link_names_is_there() -> None:
    found = [(page, *link) for page in [*READMES, *PAGES] for link in re.findall(r"\]\(([^):]+)#([^)]+)\)", read(page))]
    assert found
    assert not [link for link in found if link[2] not in anchors((REPOSITORY / link[0]).parent / link[1])]
