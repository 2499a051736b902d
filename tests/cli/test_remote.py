"""Models on other computers from the command line: keys, lists, and that a person is always told."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Abierto
from tests.engines.stand_in_provider import StandInProvider, stream, told

KEY = "sk-secret-0123456789"
ANSWER = {"choices": [{"index": 0, "delta": {"content": "Good morning."}, "finish_reason": "stop"}]}


@pytest.fixture
def school(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInProvider]:
    """A computer of one's own, named in the settings, that demands a key."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    for name in [name for name in os.environ if name.endswith("_API_KEY") or name == "HF_TOKEN"]:
        monkeypatch.delenv(name)
    with StandInProvider() as made:
        monkeypatch.setenv("ABIERTO_REMOTES", f"school={made.address}")
        made.replies = [stream(ANSWER)]
        yield made


def written(home: Path) -> bytes:
    """All that lies in the home, but the file of the keys."""
    files = (path for path in home.rglob("*") if path.is_file() and path.name != "keys.json")
    return b"".join(path.read_bytes() for path in files)


def test_a_question_to_another_computer(abierto: Abierto, school: StandInProvider, home: Path) -> None:
    kept = abierto("key", "add", "school", stdin=f"{KEY}\n".encode())
    assert kept.status == 0, kept.err
    done = abierto("chat", "--model", "school/says", "Say good morning.")
    assert (done.status, done.out) == (0, "Good morning."), done.err
    host = school.address.split("/")[2]
    assert done.err.splitlines()[0] == f"Your words leave this computer: school/says answers at {host}."
    assert {asked.headers["authorization"] for asked in school.asked} == {f"Bearer {KEY}"}
    assert KEY not in kept.out + kept.err + done.out + done.err
    assert KEY.encode() not in written(home)


def test_spanish_says_it_too(abierto: Abierto, school: StandInProvider) -> None:
    done = abierto("chat", "--model", "school/says", "hola", ABIERTO_LANGUAGE="es")
    assert done.err.startswith("Sus palabras salen de este ordenador: school/says")


def test_json_says_it_too(abierto: Abierto, school: StandInProvider) -> None:
    body = json.loads(abierto("chat", "--model", "school/says", "--json", "hello").out)
    assert body["remote"] == school.address.split("/")[2]
    assert json.loads(abierto("chat", "--model", "echo", "--json", "hello").out)["remote"] is None


def test_show_says_it_and_asks_nobody(abierto: Abierto, school: StandInProvider) -> None:
    assert "Your words leave this computer" in abierto("show", "school/says").out
    assert "https://api.groq.com/openai/v1" in abierto("show", "groq/model").out
    assert json.loads(abierto("show", "school/says", "--json").out)["address"] == school.address
    assert not school.asked


def test_the_list_of_a_provider(abierto: Abierto, school: StandInProvider) -> None:
    prices = {"prompt": "0.00000059", "completion": "0.00000079"}
    school.models = told({"data": [{"id": "b", "context_length": 8192, "pricing": prices}, {"id": "a"}]})
    done = abierto("models", "--remote", "school")
    assert done.out.splitlines() == [
        "school/a\t\ton another computer\t\t",
        "school/b\t8,192\ton another computer\t0.590\t0.790",
    ]
    assert "leave this computer" in done.err
    listed = json.loads(abierto("models", "--remote", "school/", "--json").out)
    assert listed[1]["usd_per_million_prompt_tokens"] == pytest.approx(0.59)
    assert listed[0]["usd_per_million_prompt_tokens"] is None


def test_keys_are_listed_and_never_shown(abierto: Abierto, school: StandInProvider, home: Path) -> None:
    abierto("key", "add", "groq", stdin=KEY.encode())
    listed = abierto("key", "list", TOGETHER_API_KEY=KEY).out
    rows = {row.split("\t")[0]: row.split("\t")[1] for row in listed.splitlines()}
    assert rows["groq"] == f"file {home / 'keys.json'}"
    assert rows["together"] == "variable TOGETHER_API_KEY"
    assert rows["openrouter"] == rows["school"] == "none"
    assert KEY not in listed + abierto("doctor", GROQ_API_KEY=KEY).out
    assert abierto("key", "remove", "groq").status == 0
    gone = abierto("key", "remove", "groq")
    assert (gone.status, "No key of groq" in gone.err) == (3, True)


@pytest.mark.parametrize("given", [b"", b"\n", b"two words\n", "clave-ñ\n".encode(), b"a\x01b\n", b"x" * 5000])
def test_what_is_no_key_is_not_kept(abierto: Abierto, school: StandInProvider, home: Path, given: bytes) -> None:
    done = abierto("key", "add", "groq", stdin=given)
    assert done.status == 2
    assert "Traceback" not in done.err
    assert not (home / "keys.json").exists()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("key",), 2),
        (("key", "show", "groq"), 2),
        (("key", "add"), 2),
        (("key", "add", "grok"), 3),
        (("key", "add", "groq", KEY), 2),
        (("models", "--remote", "grok"), 3),
        (("models", "--remote", "groq"), 2),
        (("chat", "-m", "groq/model", "hello"), 2),
    ],
)
def test_what_cannot_be_done_is_told(
    abierto: Abierto, school: StandInProvider, arguments: tuple[str, ...], status: int
) -> None:
    done = abierto(*arguments, stdin=b"")
    assert done.status == status, done.err
    assert "Traceback" not in done.err
    assert not school.asked


def test_a_refused_key_is_told_without_it(abierto: Abierto, school: StandInProvider) -> None:
    school.models = told({"error": {"message": f"Invalid key {KEY}"}}, 401)
    done = abierto("chat", "-m", "school/says", "hello", ABIERTO_KEY_SCHOOL=KEY)
    assert done.status == 8
    assert "does not accept the key: Invalid key ***" in done.err
    assert KEY not in done.err
