"""The lock files: whole, hashed, without an index address, in agreement with pyproject.toml and with each other."""

import re
from collections.abc import Iterator

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.sources import ROOT, project

FOLDER = ROOT / "requirements"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
LINE = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ;]+)(?: ; (?P<marker>[^\\]+?))?(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)"
)
# What Abierto is made for: every Python on every system must find all it needs in the locks.
PLACES = [
    {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
        "platform_system": name,
        "os_name": kind,
    }
    for python in ("3.11", "3.12", "3.13", "3.14")
    for system, name, kind in (("linux", "Linux", "posix"), ("darwin", "Darwin", "posix"), ("win32", "Windows", "nt"))
]


def locked(name: str) -> Iterator[re.Match[str]]:
    """The requirements of one lock file. Fails on a line that is not pinned and hashed."""
    text = (FOLDER / f"{name}.txt").read_text("utf-8")
    joined = re.sub(r" \\\n\s*", " ", re.sub(r"(?m)^\s*#.*\n", "", text))
    for line in joined.splitlines():
        found = LINE.fullmatch(line)
        assert found, line
        yield found


def wanted(name: str) -> list[str]:
    """What pyproject.toml asks for in one lock file."""
    facts = project()
    groups: dict[str, list[str]] = {
        "core": facts["project"]["dependencies"],
        "build": facts["build-system"]["requires"],
        **facts["project"]["optional-dependencies"],
        **facts["dependency-groups"],
    }
    return groups[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_package_is_pinned_and_hashed(name: str) -> None:
    assert list(locked(name))


@pytest.mark.parametrize("name", NAMES)
def test_no_address_is_in_a_lock(name: str) -> None:
    text = (FOLDER / f"{name}.txt").read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"(?m)^\s*-", re.sub(r"(?m)^\s*--hash=.*$", "", text)), "an option such as --index-url"


def test_no_index_is_in_pyproject() -> None:
    facts = project()
    facts["project"].pop("urls", None)
    assert "://" not in repr(facts)


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_holds_what_pyproject_asks_for(name: str) -> None:
    """Fails when a dependency was added or raised without `make lock`."""
    found = {line["name"]: line for line in locked(name)}
    for text in wanted(name):
        asked = Requirement(text)
        line = found[canonicalize_name(asked.name)]
        assert asked.specifier.contains(line["version"], prereleases=True), text
        marker = Marker(line["marker"]) if line["marker"] else None
        assert marker is None or all(marker.evaluate(place) for place in PLACES), text


def test_the_locks_agree_with_each_other() -> None:
    chosen: dict[str, set[str]] = {}
    for name in NAMES:
        for line in locked(name):
            chosen.setdefault(line["name"], set()).add(line["version"])
    assert not {name: versions for name, versions in chosen.items() if len(versions) > 1}


def test_pytorch_is_in_no_lock() -> None:
    assert not [line["name"] for name in NAMES for line in locked(name) if line["name"].startswith(("torch", "nvidia"))]


def test_every_line_of_pyproject_has_its_lock() -> None:
    facts = project()
    assert {"core", "build", *facts["project"]["optional-dependencies"], *facts["dependency-groups"]} == set(NAMES)


def test_every_direct_dependency_is_explained() -> None:
    """In both languages: what each one is for."""
    for language in ("en", "es"):
        text = (ROOT / "docs" / language / "reference" / "dependencies.md").read_text("utf-8").lower()
        missing = [
            Requirement(asked).name
            for name in NAMES
            for asked in wanted(name)
            if f"`{Requirement(asked).name.lower()}`" not in text
        ]
        assert not missing, language
