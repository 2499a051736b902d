"""Every error says what happened and what to do next, in both languages."""

from collections.abc import Iterator

import pytest

from abierto import errors, locale
from abierto.errors import AbiertoError


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    locale.use("en")


EXAMPLES: list[AbiertoError] = [
    errors.UnknownModel("smolm2", ["smollm2:135m"]),
    errors.UnknownModel("zzz"),
    errors.ModelNotPulled("smollm2:135m", 98_362_432),
    errors.ModelNotPulled("pypi:x==1#y"),
    errors.OptionOutOfRange("temperature", 9.5, 0, 5),
    errors.OptionOutOfRange("max_tokens", 0, 1, None),
    errors.PromptTooLong(9000, 8192, 8192),
    errors.NotEnoughMemory("big", 9_000_000_000, 2_000_000_000, 8192, 2048),
    errors.NotEnoughMemory("big", 9_000_000_000, 2_000_000_000, 8192, 0, ["smollm2:135m"]),
    errors.NotEnoughMemory("big", 9_000_000_000, 2_000_000_000, 8192),
    errors.InvalidEncoding("pipe", 12),
    errors.NotAModel("x.gguf", "html"),
    errors.UsageFault("no_such_command", {"name": "x", "near": "chat"}),
    errors.HashMismatch("x", "a" * 64, "b" * 64),
]


@pytest.mark.parametrize("language", locale.LANGUAGES)
@pytest.mark.parametrize("error", EXAMPLES, ids=str)
def test_an_error_is_told_with_its_facts_and_a_next_step(error: AbiertoError, language: str) -> None:
    locale.use(language)
    what, next_step = locale.tell(error)
    assert what
    assert next_step
    assert "{" not in what.replace('{"', "")
    assert "None" not in what + next_step


def test_the_facts_are_in_the_sentence() -> None:
    locale.use("es")
    what, next_step = locale.tell(errors.NotEnoughMemory("big", 9_000_000_000, 2_500_000_000, 8192, 2048))
    assert all(fact in what for fact in ("big", "9,0 GB", "2,5 GB", "8\u202f192"))
    assert "--context 2048" in next_step


def test_no_longer_context_is_offered_than_the_model_knows() -> None:
    assert "--context" in locale.tell(errors.PromptTooLong(900, 512, 8192))[1]
    assert "--context" not in locale.tell(errors.PromptTooLong(9000, 8192, 8192))[1]


def test_an_error_without_a_limit_above_says_so() -> None:
    what, _ = locale.tell(errors.OptionOutOfRange("max_tokens", 0, 1, None))
    assert "max_tokens" in what
    assert "1" in what


def test_errors_survive_the_way_through_a_pipe() -> None:
    import json

    sent = errors.UnknownModel("x", ["y"])
    received = errors.rebuild(sent.code, json.loads(json.dumps(sent.facts)))
    assert type(received) is errors.UnknownModel
    assert received.facts == {"name": "x", "nearest": ["y"]}


def test_an_error_refuses_facts_that_it_does_not_have() -> None:
    with pytest.raises(TypeError):
        errors.EmptyPrompt("x")
    with pytest.raises(TypeError):
        errors.UnknownModel()  # type: ignore[call-arg]
