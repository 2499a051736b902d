"""Spanish is told from English, and from what is neither."""

import pytest

from abierto.catalog.language import detect


@pytest.mark.parametrize(
    "text",
    [
        "¿Por qué el cielo es azul?",
        "Hola",
        "Hola, ¿qué tal?",
        "dime cual es la capital de Francia",
        "Escribe un poema sobre el mar",
        "Resume este texto en tres frases",
        "traduce al inglés: buenos días",
        "explica la fotosíntesis",
    ],
)
def test_spanish(text: str) -> None:
    assert detect(text) == "es"


@pytest.mark.parametrize(
    "text",
    [
        "Why is the sky blue?",
        "Hello",
        "Write a poem about the sea",
        "What is the capital of Spain?",
        "Summarise this.",
        "How do I say 'el perro' in English?",
    ],
)
def test_english(text: str) -> None:
    assert detect(text) == "en"


@pytest.mark.parametrize("text", ["", "2 + 2", "😀", "Pourquoi ce bleu?", "print(x)", "東京"])
def test_neither(text: str) -> None:
    assert detect(text) is None
