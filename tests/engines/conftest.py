"""The workshop that makes the sessions of these tests."""

from collections.abc import Iterator

import pytest

from tests.engines.kinds import Workshop


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    made = Workshop(tmp_path_factory.mktemp("engines"))
    yield made
    made.close()
