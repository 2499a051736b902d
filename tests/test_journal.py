"""What is kept, who owns it, and that what is forgotten is gone from the disk."""

import multiprocessing
import os
import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from abierto.errors import JournalUnavailable
from abierto.journal import CONVERSATIONS, LINES, RUNS, TUNINGS, Journal

SAID = [{"role": "user", "content": "the walrus secret"}]


def _keep(journal: Journal, number: int | None = None, name: str | None = None) -> int:
    return journal.keep_conversation(number, name=name, model="echo", title="walrus", messages=SAID, settings={})


def test_a_conversation_is_kept_and_found_by_name_and_number(tmp_path: Path) -> None:
    journal = Journal.at(tmp_path)
    number = _keep(journal)
    assert _keep(journal, number, "zoo") == number
    reopened = Journal.at(tmp_path)
    for name in ("zoo", str(number)):
        found = reopened.conversation(name)
        assert found is not None
        assert (found.id, found.messages) == (number, SAID)
    assert len(reopened.conversations()) == 1


def test_a_name_that_is_a_number_wins_over_the_number(tmp_path: Path) -> None:
    journal = Journal.at(tmp_path)
    first, second = _keep(journal), _keep(journal)
    _keep(journal, second, str(first))
    found = journal.conversation(str(first))
    assert found is not None
    assert found.id == second


def test_forgetting_leaves_no_trace_in_any_file(tmp_path: Path) -> None:
    journal = Journal.at(tmp_path)
    _keep(journal)
    journal.add_line("the walrus line")
    assert any(b"walrus" in path.read_bytes() for path in tmp_path.iterdir())
    assert journal.forget(CONVERSATIONS) == 1
    assert journal.forget(LINES) == 1
    assert not any(b"walrus" in path.read_bytes() for path in tmp_path.iterdir())


def test_what_is_still_being_said_survives_that_it_was_forgotten(tmp_path: Path) -> None:
    journal = Journal.at(tmp_path)
    number = _keep(journal)
    journal.forget(CONVERSATIONS)
    assert _keep(journal, number) != number
    assert len(journal.conversations()) == 1


def test_forgetting_before_a_time_keeps_what_came_later(tmp_path: Path) -> None:
    journal = Journal.at(tmp_path)
    _keep(journal)
    assert journal.forget(CONVERSATIONS, before="2020-01-01") == 0
    assert journal.forget(CONVERSATIONS, before="2999-01-01") == 1


def test_each_owner_sees_and_forgets_only_their_own(tmp_path: Path) -> None:
    mine = Journal.at(tmp_path)
    _keep(mine)
    theirs = Journal(f"sqlite:///{tmp_path / 'journal.db'}", owner="pupil")
    assert theirs.conversations() == []
    assert theirs.forget(CONVERSATIONS) == 0
    assert len(mine.conversations()) == 1


def test_runs_come_back_newest_first(tmp_path: Path) -> None:
    journal = Journal.at(tmp_path)
    for model in ("a", "b", "a"):
        journal.add_run(model=model, engine="echo", task="chat", outcome="stop")
    assert [run["model"] for run in journal.recent(RUNS)] == ["a", "b", "a"]
    assert [run["id"] for run in journal.recent(RUNS, model="a")] == [3, 1]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no permission bits")
def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    Journal.at(tmp_path / "new").add_line("private")
    for path in (tmp_path / "new").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_text("this is not a database, but it is long enough to look like one" * 20)
    with pytest.raises(JournalUnavailable):
        Journal.at(tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(JournalUnavailable):
        Journal.at(tmp_path / "taken")


@pytest.mark.parametrize(
    "address", ["nonsense", "nonsense://ana:secret@host/x", "oracle://ana:secret@host/x", "sqlite:////"]
)
def test_an_address_that_cannot_be_used_is_told_without_its_password(tmp_path: Path, address: str) -> None:
    with pytest.raises(JournalUnavailable) as caught:
        Journal.at(tmp_path, address)
    assert "secret" not in str(caught.value)


def test_a_newer_journal_is_left_alone(tmp_path: Path) -> None:
    import sqlite3

    Journal.at(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as database, database:
        database.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(JournalUnavailable):
        Journal.at(tmp_path)


def _write_lines(folder: str, count: int) -> None:
    journal = Journal.at(Path(folder))
    for index in range(count):
        journal.add_line(str(index))


def test_several_terminals_begin_and_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_lines, args=(str(tmp_path), 20)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert len(Journal.at(tmp_path).lines()) == 80


def test_a_journal_of_the_first_version_gets_what_is_new_and_keeps_its_rows(tmp_path: Path) -> None:
    journal = Journal.at(tmp_path)
    number = _keep(journal)
    with sqlite3.connect(tmp_path / "journal.db") as old:
        old.execute("DROP TABLE tunings")
        old.execute("DROP TABLE measurements")
        for column in ("tree", "folder"):
            old.execute(f"ALTER TABLE conversations DROP COLUMN {column}")
        old.execute("UPDATE schema_version SET version = 1")
    journal = Journal.at(tmp_path)
    journal.add_tuning(model="a", engine="echo", threads=2, settings={}, outcome="done")
    assert [row["model"] for row in journal.recent(TUNINGS)] == ["a"]
    journal.add_measurement(engine="echo", threads=2, rates={})
    assert [(kept.id, kept.tree, kept.folder) for kept in journal.conversations()] == [(number, None, None)]


def test_many_may_make_the_same_journal_at_once(tmp_path: Path) -> None:
    def add(folder: Path, start: threading.Barrier) -> int:
        start.wait()
        journal = Journal.at(folder)
        journal.add_line("here")
        return len(journal.lines())

    people = 4
    with ThreadPoolExecutor(people) as pool:
        for number in range(40):
            start = threading.Barrier(people)
            seen = [pool.submit(add, tmp_path / str(number), start) for _ in range(people)]
            assert max(one.result() for one in seen) == people
