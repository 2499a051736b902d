"""`abierto models --remote PROVIDER`: what a provider says it has, with its prices."""

from abierto.cli import out
from abierto.locale import text
from abierto.locale.numbers import count, decimal
from abierto.runtime import remotes


def show(name: str, as_json: bool) -> None:
    """List the models of a provider. Raises UnknownProvider, and what `remotes.models` raises."""
    provider = remotes.provider(name)
    found = remotes.models(provider)
    if as_json:
        out.as_json(
            [
                {
                    "name": f"{provider.name}/{model.name}",
                    "remote": provider.host,
                    "context": model.context or None,
                    "usd_per_million_prompt_tokens": model.prompt_price,
                    "usd_per_million_completion_tokens": model.completion_price,
                }
                for model in found
            ]
        )
        return
    out.note(text("remote.leave", provider=provider.name, host=provider.host))
    headings = [text(f"models.{column}") for column in ("name", "context", "state", "prompt_price", "completion_price")]
    away = text("models.remote")
    out.table(
        headings,
        [
            (
                f"{provider.name}/{model.name}",
                count(model.context) if model.context else "",
                away,
                _price(model.prompt_price),
                _price(model.completion_price),
            )
            for model in found
        ],
    )


def _price(dollars: float | None) -> str:
    """US dollars for a million tokens; nothing where the provider does not publish them."""
    return "" if dollars is None else decimal(dollars, 3 if 0 < dollars < 1 else 2)
