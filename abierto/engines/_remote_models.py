"""What another computer says it has: its list of models, with context and price where it tells them.

Prices are US dollars. `prompt` and `completion` are for one token (OpenRouter, SambaNova), `input` and `output` for a
million (Together, Hugging Face). Pure but for the one request.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from abierto.engines._remote_link import Call, Dropped, Link
from abierto.errors import RemoteGarbled, RemoteInterrupted

_CONTEXTS = ("context_length", "context_window", "max_model_len", "max_context_length")
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model of another computer. context: tokens, 0 where it is not told.

    prompt_price, completion_price: US dollars for a million tokens; None where the provider does not publish them.
    """

    name: str
    context: int = 0
    prompt_price: float | None = None
    completion_price: float | None = None


def models(link: Link, retries: int) -> list[RemoteModel]:
    """The list, by name. Raises what `Call.send` raises, RemoteGarbled, RemoteInterrupted."""
    call = Call(link, "GET", "/models", retries=retries)
    try:
        call.send()
        return parse(link.provider, call.json())
    except RemoteGarbled as garbled:
        raise link.hidden(garbled) from None
    except Dropped as dropped:
        raise RemoteInterrupted(link.provider, 0) from dropped
    finally:
        call.close()


def parse(provider: str, body: Any) -> list[RemoteModel]:
    """The models of a list, which some wrap in an object and some do not. Raises RemoteGarbled."""
    listed = body.get("data") if isinstance(body, Mapping) else body
    if not isinstance(listed, list):
        raise RemoteGarbled(provider, f"no list of models: {str(body)[:80]}")
    found = [_model(item) for item in listed if isinstance(item, Mapping) and isinstance(item.get("id"), str)]
    return sorted(found, key=lambda model: model.name)


def _model(item: Mapping[str, Any]) -> RemoteModel:
    # Hugging Face's router tells these for each of those who serve the model.
    served = [one for one in item.get("providers") or () if isinstance(one, Mapping)]
    context = max((_context(one) for one in (item, *served)), default=0)
    prices = [pair for one in (item, *served) if (pair := _prices(one.get("pricing")))]
    prompt, completion = min(prices, default=(None, None))
    return RemoteModel(str(item["id"]), context, prompt, completion)


def _context(item: Mapping[str, Any]) -> int:
    found: Iterable[Any] = (item.get(name) for name in _CONTEXTS)
    return max((value for value in found if isinstance(value, int) and not isinstance(value, bool)), default=0)


def _prices(told: Any) -> tuple[float, float] | None:
    if not isinstance(told, Mapping):
        return None
    for names, factor in ((("prompt", "completion"), MILLION), (("input", "output"), 1)):
        try:
            prompt, completion = (float(told[name]) * factor for name in names)
        except (KeyError, TypeError, ValueError):
            continue
        # OpenRouter tells a negative price where the model behind a name is chosen for each request.
        if isfinite(prompt) and isfinite(completion) and prompt >= 0 and completion >= 0:
            return prompt, completion
    return None
