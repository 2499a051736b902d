"""The engine of the starter model for vectors, with the model itself, which its package holds."""

import pytest

from abierto.engines import sentence_encoder
from abierto.engines.session import LoadOptions
from abierto.errors import MissingFeature, PromptTooLong
from abierto.runtime import child
from abierto.runtime.model import load
from abierto.tasks.chat import ChatRequest, Message
from abierto.tasks.embed import EmbedRequest
from abierto.tasks.events import Embedding, Event, Finish, Score, Usage
from abierto.tasks.rerank import RerankRequest

SENTENCES = ("El gato duerme en el tejado.", "The cat sleeps on the roof.", "Interest rates rose by half a point.")


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def vectors(events: list[Event]) -> list[list[float]]:
    return [event.values for event in events if isinstance(event, Embedding)]


def test_sentences_that_mean_the_same_are_near_in_both_languages() -> None:
    with load("use-multilingual", task="embed") as model:
        events = list(model.run(EmbedRequest(SENTENCES)))
    spanish, english, money = vectors(events)
    assert len(spanish) == 512
    assert cosine(spanish, spanish) == pytest.approx(1.0, abs=1e-3)
    assert cosine(spanish, english) > cosine(spanish, money) + 0.3
    assert isinstance(events[-2], Usage)
    assert events[-1] == Finish("stop")


def test_a_text_has_the_same_vector_alone_and_among_many() -> None:
    session = sentence_encoder.load([], LoadOptions())
    [alone] = vectors(list(session.embed(EmbedRequest((SENTENCES[0],)))))
    among = vectors(list(session.embed(EmbedRequest(SENTENCES * 30))))
    assert len(among) == 90
    assert cosine(alone, among[-3]) == pytest.approx(1.0, abs=1e-3)


def test_documents_are_ranked_by_what_they_mean() -> None:
    with load("use-multilingual", task="rerank") as model:
        events = list(model.run(RerankRequest("¿Dónde duerme el gato?", SENTENCES)))
    scores = [event.value for event in events if isinstance(event, Score)]
    assert max(scores[:2]) > scores[2] + 0.2


def test_it_counts_and_refuses_what_is_too_long() -> None:
    session = sentence_encoder.load([], LoadOptions(context=8))
    assert session.count_tokens(EmbedRequest(("one",))) < session.count_tokens(EmbedRequest(("one two three",)))
    with pytest.raises(PromptTooLong):
        list(session.embed(EmbedRequest(("word " * 50,))))


def test_it_holds_no_conversation() -> None:
    session = child.load("sentence_encoder", [], LoadOptions())
    with pytest.raises(MissingFeature):
        list(session.chat(ChatRequest((Message("user", "hello"),))))
    session.close()
