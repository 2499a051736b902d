"""Numbers, sizes and times as the two languages write them."""

from collections.abc import Iterator

import pytest

from abierto import locale
from abierto.locale import numbers


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    locale.use("en")


@pytest.mark.parametrize(
    ("tag", "chosen"),
    [
        ("es", "es"),
        ("es_MX.UTF-8", "es"),
        ("ES-ar", "es"),
        ("en_GB.UTF-8", "en"),
        ("C.UTF-8", "en"),
        ("fr", "en"),
        ("", "en"),
    ],
)
def test_the_language_that_a_tag_asks_for(tag: str, chosen: str) -> None:
    assert locale.choose(tag) == chosen


@pytest.mark.parametrize(
    ("language", "byte_count", "shown"),
    [
        ("en", 0, "0 B"),
        ("en", 999, "999 B"),
        ("en", 1000, "1.0 kB"),
        ("en", 99_949, "99.9 kB"),
        ("en", 99_960, "100 kB"),
        ("en", 999_600, "1.0 MB"),
        ("en", 98_362_432, "98.4 MB"),
        ("es", 98_362_432, "98,4 MB"),
        ("en", 1.5e12, "1.5 TB"),
        ("es", 1.5e15, "1\u202f500 TB"),
    ],
)
def test_sizes(language: str, byte_count: float, shown: str) -> None:
    locale.use(language)
    assert numbers.size(byte_count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.04, "0.0 s"),
        (0.44, "0.4 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_times(seconds: float, shown: str) -> None:
    assert numbers.duration(seconds) == shown


def test_spanish_separates_as_spanish_does() -> None:
    locale.use("es")
    assert (numbers.count(134_515_008), numbers.decimal(1234.5)) == ("134\u202f515\u202f008", "1\u202f234,5")
