"""The guess of a model that is not here: within a factor of published sizes, and growing with what it is asked for."""

import pytest

from abierto.formats.footprint_unread import estimate, weights_size

# Billions of parameters -> bytes of a token in the cache, by the published sizes of the model.
PUBLISHED = {0.135: 23_040, 0.6: 114_688, 1.24: 32_768, 3.2: 114_688, 8.0: 131_072, 4.0: 147_456}
PUBLISHED |= {14.8: 163_840, 32.8: 262_144, 70.6: 327_680}


@pytest.mark.parametrize("billions", PUBLISHED)
def test_a_token_takes_what_it_takes_in_models_of_this_size(billions: float) -> None:
    parameters = round(billions * 1e9)
    guessed = estimate(parameters, parameters, 1000).kv_cache / 1000
    assert 1 / 2.5 < guessed / PUBLISHED[billions] < 2.5


def test_files_are_as_large_as_published_ones() -> None:
    assert weights_size("q4_k_m", 8_030_000_000) == pytest.approx(4_920_000_000, rel=0.02)  # Llama 3.1 8B
    assert weights_size("Q8_0", 8_030_000_000) == pytest.approx(8_540_000_000, rel=0.02)
    assert weights_size("diffusers", 8_030_000_000) is None
    assert weights_size("q8_0", None) is None


def test_more_users_and_tokens_take_more() -> None:
    one = estimate(10**9, 10**9, 4096)
    assert estimate(10**9, 10**9, 4096, 3).kv_cache == pytest.approx(3 * one.kv_cache, abs=3)
    assert estimate(10**9, None, 4096).total == one.total  # a byte for each parameter, where nobody says
