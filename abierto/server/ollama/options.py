"""What the bodies of chat and generate have in common: options, format, how long a model stays, whether it thinks.

Options that say where and how to compute (`num_gpu`, `num_thread`, `use_mmap`, ...) are passed over: they change no
answer, and this is decided here for each computer. `num_keep`, `truncate` and `shift` are passed over because nothing
is ever cut: what does not fit into the context is refused. Pure functions.
"""

import re
from collections.abc import Mapping
from math import inf, isfinite
from typing import Any

from msgspec import Struct

from abierto.errors import InvalidRequest, OptionOutOfRange
from abierto.runtime import schema as schemas
from abierto.server.media import decoded
from abierto.tasks.chat import Sampling

MOST_STOPS = 16
# What these are where nobody says so, in Ollama and in llama.cpp: other values cannot be had here.
_FIXED = {"typical_p": 1.0, "repeat_last_n": 64}
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PIECE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


class Options(Struct):
    """Ollama's names for what `Sampling` holds. num_ctx: tokens that the conversation must be able to hold."""

    num_ctx: int | None = None
    num_predict: int | None = None
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    repeat_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    typical_p: float | None = None
    repeat_last_n: int | None = None


class Asking(Struct):
    """What the bodies of chat and generate have in common."""

    model: str = ""
    stream: bool | None = True
    format: str | dict[str, Any] | None = None
    options: Options | None = None
    keep_alive: float | str | None = None
    think: bool | str | None = None
    logprobs: bool | None = False
    top_logprobs: int | None = None


def sampling_of(options: Options | None) -> Sampling:
    """How tokens are chosen. Raises OptionOutOfRange, InvalidRequest."""
    if options is None:
        return Sampling()
    for name, usual in _FIXED.items():
        if getattr(options, name) not in (None, usual):
            raise InvalidRequest(f"`{name}` is always {usual} here", f"$.options.{name}")
    if options.num_predict == 0:
        raise OptionOutOfRange("num_predict", 0, 1)
    stops = [options.stop] if isinstance(options.stop, str) else options.stop or []
    if len(stops) > MOST_STOPS:
        raise OptionOutOfRange("stop", len(stops), 0, MOST_STOPS)
    return Sampling(
        # Negative: as many as the context holds.
        max_tokens=options.num_predict if (options.num_predict or -1) > 0 else None,
        temperature=options.temperature,
        top_p=options.top_p,
        top_k=None if options.top_k is None else max(options.top_k, 0),
        min_p=options.min_p,
        repeat_penalty=options.repeat_penalty,
        presence_penalty=options.presence_penalty,
        frequency_penalty=options.frequency_penalty,
        # Negative: another one each time. A client may send any number; the engines take 32 bits.
        seed=None if options.seed is None or options.seed < 0 else options.seed % (2**32 - 1),
        stop=tuple(stop for stop in stops if stop),
    )


def context_of(options: Options | None) -> int:
    """The tokens that the conversation must be able to hold; 0: as the model is loaded. Raises OptionOutOfRange."""
    wanted = (options and options.num_ctx) or 0
    if wanted < 0:
        raise OptionOutOfRange("num_ctx", wanted, 0)
    return wanted


def schema_of(wanted: str | Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The schema that the answer must follow. Raises InvalidSchema, InvalidRequest."""
    if wanted is None or wanted == "":
        return None
    if wanted == "json":
        return {"type": "object"}
    if isinstance(wanted, str):
        raise InvalidRequest('the format is "json" or a JSON schema', "$.format")
    schemas.check(wanted, "format")
    return wanted


def logprobs_of(body: Asking) -> int | None:
    """How many alternatives are told with each token; None: nothing is told."""
    return (body.top_logprobs or 0) if body.logprobs else None


def thinking_of(think: bool | str | None) -> bool | None:
    """Whether the model shall think first. A model here thinks or does not: all levels mean that it does.

    Raises InvalidRequest.
    """
    if not isinstance(think, str):
        return think
    if think not in ("low", "medium", "high", "max"):
        raise InvalidRequest('true, false, "low", "medium", "high" or "max"', "$.think")
    return True


def seconds_of(keep_alive: float | str | None) -> float | None:
    """How long the model stays after this, in seconds; negative: for ever; None: as it is.

    A number is seconds; a text is one too, or a duration as Go writes it: `5m`, `1h30m`, `-1m`. Raises InvalidRequest.
    """
    if keep_alive is None:
        return None
    seconds = float(keep_alive) if not isinstance(keep_alive, str) else _duration(keep_alive.strip())
    if not isfinite(seconds):
        raise InvalidRequest('seconds, or a duration such as "5m"', "$.keep_alive")
    return -1.0 if seconds < 0 else seconds


def pictures(images: list[str] | None, where: str) -> tuple[bytes, ...]:
    """The images of a message. Raises InvalidRequest for what is no base64: paths and addresses are not read here."""
    return tuple(decoded(image, f"{where}.images[{index}]") for index, image in enumerate(images or ()))


def _duration(written: str) -> float:
    if _NUMBER.fullmatch(written):
        return float(written)
    sign, rest = (-1.0, written[1:]) if written.startswith("-") else (1.0, written.removeprefix("+"))
    pieces = _PIECE.findall(rest)
    if not pieces or "".join(number + unit for number, unit in pieces) != rest:
        return inf
    return sign * sum(float(number) * _UNITS[unit] for number, unit in pieces)
