"""Answers that are kept: in what bounds, and how they are read while they are written."""

import threading

from abierto.server.kept import ITEM_BYTES, Kept, Record


def ended(name: str, size: int = 0) -> Record:
    record = Record(name, None, size)
    record.put(last=True)
    return record


def test_the_oldest_go_when_there_are_too_many() -> None:
    kept = Kept(records=2)
    for name in "abc":
        kept.put(ended(name))
    assert [record.name for record in kept.newest_first()] == ["c", "b"]


def test_the_oldest_go_when_they_are_too_large() -> None:
    kept = Kept(size=100)
    for name in "abc":
        kept.put(ended(name, 40))
    assert [record.name for record in kept.newest_first()] == ["c", "b"]


def test_what_comes_later_counts() -> None:
    kept = Kept(size=ITEM_BYTES * 3)
    growing = Record("a", None)
    kept.put(growing)
    growing.put(1, 2, 3, 4, last=True)
    assert kept.get("a") is None


def test_what_is_too_old_is_not_found() -> None:
    now = [0.0]
    kept = Kept(seconds=10, clock=lambda: now[0])
    kept.put(ended("a"))
    now[0] = 9.0
    assert kept.get("a")
    now[0] = 10.0
    assert kept.get("a") is None
    assert kept.remove("a") is None


def test_what_is_still_at_work_stays() -> None:
    kept = Kept(records=1)
    working = Record("a", None)
    kept.put(working)
    kept.put(ended("b"))
    assert kept.get("a") is working
    assert kept.get("b") is None
    working.put(last=True)
    kept.put(ended("c"))
    assert kept.get("a") is None


def test_removing_and_closing_break_off_the_work() -> None:
    kept, stopped = Kept(), list[str]()
    for name in "ab":
        record = Record(name, None)
        record.stop = lambda name=name: stopped.append(name)
        kept.put(record)
    assert kept.remove("a")
    assert stopped == ["a"]
    kept.close()
    assert stopped == ["a", "b"]
    assert kept.get("b") is None


def test_a_reader_waits_for_what_is_written() -> None:
    record, read = Record("a", None), list[int]()

    def follow() -> None:
        over = False
        while not over:
            items, over = record.since(len(read), 60.0)
            read.extend(items)

    reader = threading.Thread(target=follow)
    reader.start()
    for number in range(100):
        assert record.put(number)
    record.close()
    reader.join()
    assert read == list(range(100))


def test_nothing_comes_after_the_end() -> None:
    record = ended("a")
    assert not record.put(1)
    assert record.items() == []
    assert record.since(0, 60.0) == ([], True)


def test_who_waits_too_long_is_told_that_there_is_nothing() -> None:
    assert Record("a", None).since(0, 0.0) == ([], False)
