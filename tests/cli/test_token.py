"""`abierto token`, and the server that does not start without one."""

import json
from pathlib import Path

import pytest

from abierto import errors
from abierto.cli import run
from abierto.server.tokens import PREFIX, Tokens


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ABIERTO_HOME", str(tmp_path))
    monkeypatch.setenv("ABIERTO_LANGUAGE", "en")
    return tmp_path


def test_a_token_from_its_making_to_its_end(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["token", "add", "ana", "--per-minute", "60"]) == 0
    secret = capsys.readouterr().out.strip()
    assert secret.startswith(PREFIX)
    found = Tokens(home / "data").find(secret)
    assert found
    assert (found.name, found.per_minute) == ("ana", 60)
    assert run(["token", "list", "--json"]) == 0
    listed = capsys.readouterr().out
    assert [(one["name"], one["per_minute"]) for one in json.loads(listed)] == [("ana", 60)]
    assert run(["token", "list"]) == 0
    assert capsys.readouterr().out.startswith("ana\t60\t")
    assert secret not in listed
    assert run(["token", "remove", "ana"]) == 0
    assert Tokens(home / "data").find(secret) is None


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (["add"], errors.UsageFault),
        (["remove"], errors.UsageFault),
        (["make", "ana"], errors.UsageFault),
        (["add", "../ana"], errors.UsageFault),
        (["add", "-ana"], errors.UsageFault),
        (["add", "ana", "--per-minute", "0"], errors.UsageFault),
        (["remove", "nobody"], errors.UnknownToken),
    ],
    ids=str,
)
def test_what_cannot_be(line: list[str], error: type[errors.AbiertoError]) -> None:
    assert run(["token", *line]) == error.exit_status


def test_a_name_is_given_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["token", "add", "ana"]) == 0
    assert run(["token", "add", "ana"]) == errors.TokenNameTaken.exit_status
    assert "already a token called ana" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_no_server_that_others_reach_without_a_token(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--host", host, "--port", "0"]) == errors.TokensNeeded.exit_status
    assert "abierto token add" in capsys.readouterr().err


def test_a_log_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["logs"]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "server.log" in told.err
