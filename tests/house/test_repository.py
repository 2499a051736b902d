"""The files of the repository: nothing of the machine they were written on, and READMEs that agree."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.sources import ROOT, place

# In brackets, so that this file does not hold what it looks for.
PRIVATE = re.compile(r"(?<![\w.~])/(?:ro[o]t|w[o]rk|hom[e]|User[s]|tmp/bash_[j]obs|op[t])/[\w.-]+|[A-Z]:\\User[s]\\")
# People that exist in no machine, for examples in the documents.
EXAMPLE_HOMES = ("/home/ana", "/Users/ana", "/home/YOU", "/Users/YOU")
LARGEST = 1_000_000  # bytes
MODELS = "models/"  # what is made here and shipped: weights, of which the repository holds each byte once
LARGEST_MODELS, LARGEST_WEIGHTS = 80_000_000, 60_000_000  # bytes of all of them, and of what programs load
BINARY = {".png", ".gif", ".webp", ".ico", ".woff2", ".gguf", ".safetensors", ".onnx", ".npz", ".xz"}


def files() -> list[Path]:
    """The files that are, or would be, in the repository."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a clone, or no git")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    return sorted(path for name in set(listed.split("\0")) if name and (path := ROOT / name).is_file())


def texts() -> dict[str, str]:
    """The text files by place. Fails on one that is not UTF-8."""
    return {place(path): path.read_bytes().decode("utf-8") for path in files() if path.suffix not in BINARY}


def test_no_path_of_a_machine_is_in_a_file() -> None:
    found = {
        (where, match)
        for where, text in texts().items()
        for match in PRIVATE.findall(text)
        if not match.startswith(EXAMPLE_HOMES)
    }
    assert not found


@pytest.mark.parametrize("path", ["root .cache", "work main", "home maria", "opt mirror", "Users maria"])
def test_a_path_of_a_machine_is_seen(path: str) -> None:
    assert PRIVATE.search("see /" + path.replace(" ", "/"))


@pytest.mark.parametrize("before", ["abierto/runtime", "https://example.org", "~", "."])
def test_another_path_is_not_seen(before: str) -> None:
    assert not PRIVATE.search(f"{before}/work" + "/x")


def test_texts_are_plain() -> None:
    """Line feeds only, one at the end, no merge marks."""
    for where, text in texts().items():
        if where.startswith(MODELS) and "/tokenizer/" in where:
            continue  # written by a program, and known by their hashes
        assert "\r" not in text, where
        assert not text or (text.endswith("\n") and not text.endswith("\n\n")), where
        assert not re.search(r"(?m)^(<{7}|>{7}) ", text), where


def test_no_file_is_large() -> None:
    sizes = {place(path): path.stat().st_size for path in files()}
    assert not {where: size for where, size in sizes.items() if size > LARGEST and not where.startswith(MODELS)}
    made = {where: size for where, size in sizes.items() if where.startswith(MODELS)}
    assert sum(made.values()) <= LARGEST_MODELS
    assert sum(size for where, size in made.items() if where.endswith((".safetensors", ".onnx"))) <= LARGEST_WEIGHTS


def commands(readme: str) -> list[str]:
    """What a README tells to type: the lines of its shell blocks, without comments and prompts."""
    blocks = re.findall(r"(?ms)^```(?:sh|bash|powershell)\n(.*?)^```$", (ROOT / readme).read_text("utf-8"))
    lines = [re.sub(r"\s+#.*|^#.*|^\$ ", "", line).rstrip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def test_both_readmes_name_the_same_commands() -> None:
    english = commands("README.md")
    assert english == commands("README.es.md")
    assert {"make run", "make test"} <= set(english)


def test_the_makefile_has_every_verb_that_the_readme_names() -> None:
    rules = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text("utf-8")))
    named = {line.split()[1] for line in commands("README.md") if line.startswith("make ")}
    assert named <= rules


def test_the_changelog_tells_of_this_version() -> None:
    import abierto

    assert re.search(rf"(?m)^## .*{re.escape(abierto.__version__)}", (ROOT / "CHANGELOG.md").read_text("utf-8"))


def test_the_documents_have_the_same_files_in_both_languages() -> None:
    english, spanish = (
        {path.relative_to(ROOT / "docs" / language).as_posix() for path in (ROOT / "docs" / language).rglob("*.md")}
        for language in ("en", "es")
    )
    assert english == spanish
    assert english


def links(document: Path) -> list[str]:
    """The targets of a document's links into the repository, without the part after `#`."""
    targets: list[str] = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text("utf-8"))
    return [target for target in targets if "://" not in target and not target.startswith("mailto:")]


def test_every_link_in_the_documents_leads_somewhere() -> None:
    documents = [path for path in files() if path.suffix == ".md"]
    assert not [(place(one), link) for one in documents for link in links(one) if not (one.parent / link).exists()]
