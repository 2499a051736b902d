"""What a person should know before they rely on an answer."""

from abierto import catalog
from abierto.catalog.language import detect
from abierto.locale import text
from abierto.locale.numbers import count, duration, rate, size
from abierto.locale.wording import language as language_name
from abierto.runtime.claims import Claim
from abierto.runtime.model import Model, Stats


def language_notice(model: Model, message: str) -> str | None:
    """A sentence when a model's card lacks the language of a message, with models that have it; else None."""
    spoken = model.card.languages if model.card else ()
    language = detect(message)
    if not spoken or language is None or language in spoken:
        return None
    values = {
        "model": model.name,
        "language": language_name(language),
        "spoken": ", ".join(language_name(code) for code in spoken),
    }
    able = [card.name for card in catalog.speaking(language)]
    if able:
        return text("notice.language", **values, models=", ".join(able[:3]), first=able[0])
    return text("notice.language_file", **values)


def leaving(model: Model) -> str | None:
    """A sentence when the words leave this computer, with where they go; else None."""
    return text("remote.leaves", model=model.name, host=model.remote) if model.remote else None


def claim_line(claim: Claim) -> str:
    """That another model answers to the name that was typed: which one is used, why, and how to use the other."""
    return text(
        "claim.note",
        name=claim.name,
        winner=text(f"claim.{claim.winner}"),
        other=text(f"claim.{claim.other}"),
        reason=text(f"claim.reason.{claim.reason}"),
        command=claim.command,
    )


def stats_line(stats: Stats) -> str:
    """What an answer cost, in one line."""
    return text(
        "answer.stats",
        prompt=count(stats.prompt_tokens),
        cached=count(stats.cached_tokens),
        prompt_speed=rate(stats.prompt_speed, "token"),
        answer=count(stats.completion_tokens),
        speed=rate(stats.generation_speed, "token"),
        first=duration(stats.first_token_seconds),
        memory=size(stats.memory),
    )
