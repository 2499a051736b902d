"""What another computer says it has: contexts and prices, in the forms of each provider."""

from typing import Any

import pytest

from abierto.engines.remote import list_models
from abierto.errors import KeyRefused, RemoteGarbled, RemoteRefused
from tests.engines.elsewhere import OPENAI_ERROR, session, settings
from tests.engines.stand_in_provider import StandInProvider, told


def test_the_context_is_that_of_the_list(provider: StandInProvider) -> None:
    assert session(provider).context == 512
    provider.models = told({"error": {"message": "no list"}}, 404)
    assert session(provider).context == 131_072


def test_a_key_that_is_refused_is_told_before_any_word_is_sent(provider: StandInProvider) -> None:
    provider.models = told({"error": {**OPENAI_ERROR, "code": "invalid_api_key"}}, 401)
    with pytest.raises(KeyRefused):
        session(provider)
    assert not provider.posted


# Lists as the packages and documents state them: openrouter components.Model and PublicPricing (texts, for a token);
# together types.models.ModelObject (no object around it; for a million); sambanova types.ModelResponse (numbers, for
# a token); the router's list of Hugging Face (for each who serves it, for a million); groq types.Model (no prices).
LISTS: list[tuple[Any, tuple[int, float | None, float | None]]] = [
    ({"data": [{"id": "m", "context_length": 8192, "pricing": {"prompt": "0.00003", "completion": "0.00006"}}]},
     (8192, 30.0, 60.0)),
    ([{"id": "m", "object": "model", "context_length": 4096, "pricing": {"input": 0.18, "output": 0.2}}],
     (4096, 0.18, 0.2)),
    ({"data": [{"id": "m", "context_length": 16384, "pricing": {"prompt": 6e-7, "completion": 1.2e-6}}]},
     (16384, 0.6, 1.2)),
    ({"data": [{"id": "m", "providers": [
        {"provider": "a", "context_length": 10, "pricing": {"input": 2, "output": 3}},
        {"provider": "b", "context_length": 20, "pricing": {"input": 1, "output": 4}}]}]},
     (20, 1.0, 4.0)),
    ({"data": [{"id": "m", "object": "model", "owned_by": "x", "context_window": 131072}]}, (131072, None, None)),
    ({"data": [{"id": "m", "pricing": {"prompt": "-1", "completion": "-1"}}, {"name": "no id"}, 7]}, (0, None, None)),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), LISTS)
def test_lists_of_models(
    provider: StandInProvider, body: Any, expected: tuple[int, float | None, float | None]
) -> None:
    provider.models = told(body)
    [model] = list_models(settings(provider))
    assert model.name == "m"
    assert (model.context, model.prompt_price, model.completion_price) == pytest.approx(expected)


@pytest.mark.parametrize("body", [{"data": 7}, 7, "x", {}])
def test_what_is_no_list_of_models(provider: StandInProvider, body: Any) -> None:
    provider.models = told(body)
    with pytest.raises(RemoteGarbled):
        list_models(settings(provider))


def test_a_computer_without_a_list(provider: StandInProvider) -> None:
    provider.models = told({"error": {"message": "no such path"}}, 404)
    with pytest.raises(RemoteRefused) as caught:
        list_models(settings(provider, model=""))
    assert caught.value.status == 404
