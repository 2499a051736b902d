"""What engines keep: when it counts, when it is made anew, and when it goes."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from abierto.store import kept
from abierto.store.kept import Form
from tests.store.other_process import OtherProcess

BODY = b"a form"


@pytest.fixture
def form(tmp_path: Path) -> Form:
    """A form, not made yet, of a file that is there."""
    (tmp_path / "file").write_bytes(b"weights")
    return Form(tmp_path / "cache", "toy", tmp_path / "file", "toy 1")


def fill(folder: Path) -> str:
    (folder / "part").write_bytes(BODY)
    return "made"


def test_it_is_made_once(form: Form) -> None:
    assert form.get() is None
    assert form.make(fill) == "made"
    place = form.get()
    assert place
    assert place == form.place
    assert (place / "part").read_bytes() == BODY
    assert kept.bytes_in(form.cache) == kept.bytes_of(form.cache, [form.file]) > len(BODY)


def test_another_program_makes_it_anew_in_the_same_place(form: Form) -> None:
    form.make(fill)
    later = replace(form, maker="toy 2")
    assert later.get() is None
    later.make(fill)
    assert later.get() == form.place
    assert form.get() is None


@pytest.mark.parametrize("body", [b"weights and more", b"WEIGHTS"])
def test_a_file_that_changed_has_no_form(form: Form, body: bytes) -> None:
    form.make(fill)
    form.file.write_bytes(body)
    os.utime(form.file, ns=(1, 1))
    assert form.get() is None


@pytest.mark.parametrize("damage", [b"", b"a farm", BODY + b"x", None])
def test_damage_is_seen(form: Form, damage: bytes | None) -> None:
    form.make(fill)
    part = form.place / "part"
    if damage is None:
        part.unlink()
    else:
        part.write_bytes(damage)
    assert form.get() is None
    assert form.make(fill)
    assert form.get()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"source": 1}', "[" * 100_000])
def test_a_manifest_that_is_none(form: Form, text: str) -> None:
    form.make(fill)
    (form.place / "kept.json").write_text(text)
    assert form.get() is None
    kept.forget(form.cache, [])
    assert not form.place.exists()


def test_a_making_that_fails_leaves_nothing(form: Form) -> None:
    def fails(folder: Path) -> None:
        fill(folder)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        form.make(fails)
    assert [path.name for path in form.cache.iterdir()] == [".lock"]


def test_where_nothing_can_be_kept(form: Form) -> None:
    form.cache.write_bytes(b"a file where the folder would be")
    assert form.make(fill) is None
    assert form.get() is None
    kept.forget(form.cache, [form.file])
    assert kept.bytes_in(form.cache) == 0


def test_two_at_once_and_one_that_is_killed(form: Form) -> None:
    lines = f"""
from abierto.store.kept import Form
def fill(folder):
    (folder / "part").write_bytes(b"half")
    say("begun")
Form(Path({str(form.cache)!r}), "toy", Path({str(form.file)!r}), "toy 1").make(fill)
"""
    with OtherProcess(lines, form.cache, "") as process:
        assert process.hears() == "begun"
        assert form.make(fill) is None  # somebody else is at it
        process.kill()
    assert form.get() is None
    assert form.make(fill) == "made"
    assert sorted(path.name for path in form.cache.iterdir()) == [".lock", form.place.name]


def test_it_goes_with_its_file(form: Form, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"x")
    other = replace(form, file=tmp_path / "other")
    for each in (form, other):
        each.make(fill)
    kept.forget(form.cache, [form.file])
    assert (form.get(), other.get()) == (None, other.place)
    other.file.unlink()
    kept.forget(form.cache, [])
    assert kept.bytes_in(form.cache) == 0
