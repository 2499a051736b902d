"""Texts where OpenAI's bodies take a text, several, or numbers of tokens. Pure functions.

Numbers of tokens are refused: they mean something in OpenAI's vocabularies, and something else in a model's here.
"""

from abierto.errors import InvalidRequest

Texts = str | list[str | int | list[int]]


def texts_of(given: Texts | None, where: str, most: int) -> tuple[str, ...]:
    """The texts, one or more, none of them empty. Raises InvalidRequest."""
    if isinstance(given, str):
        given = [given]
    if not given:
        raise InvalidRequest("a text is needed", where)
    if len(given) > most:
        raise InvalidRequest(f"at most {most} texts are taken at once, not {len(given)}", where)
    found: list[str] = []
    for index, text in enumerate(given):
        if not isinstance(text, str):
            raise InvalidRequest("numbers of tokens are not taken here, only text", where)
        if not text:
            raise InvalidRequest("the text is empty", where if len(given) == 1 else f"{where}[{index}]")
        found.append(text)
    return tuple(found)
