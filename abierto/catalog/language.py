"""Which of our two languages a text is in, told by its most frequent small words.

Enough to say "this model does not speak Spanish"; it knows no third language and says None when it is not sure.
"""

import re

# The most frequent function words that the other language does not have.
_WORDS = {
    language: frozenset(words.split())
    for language, words in {
        "es": """
            el la los las un una unos unas de del al que y en por para con sin sobre como cómo qué quién cuál cuándo
            dónde cuánto cuánta cuántos es son está están fue era ser hay se su sus mi mis tu te lo le les más muy pero
            porque si sí cuando donde este esta estos estas eso ese esa nos yo tú él ella ellos dime dame haz escribe
            explica hola gracias puedes quiero cuéntame traduce resume
            """,
        "en": """
            the an of to and in for with without is are was were be been have has had it its this that these those what
            who which when where why how do does did can could would should will i you he she they we my your his her
            their not but if or from about write tell give explain please hello hi thanks make translate summarise
            summarize
            """,
    }.items()
}


def detect(text: str) -> str | None:
    """`es`, `en`, or None when the words do not decide."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    found = {language: sum(word in known for word in words) for language, known in _WORDS.items()}
    if re.search(r"[¿¡ñ]", text.lower()):
        found["es"] += 2
    best = max(found, key=lambda language: found[language])
    others = max(score for language, score in found.items() if language != best)
    return best if found[best] > others and found[best] * 5 >= len(words) else None
