"""OpenAI's /v1/completions: a text goes in without a chat template, and what follows comes out. Pure functions.

What follows ends after 16 tokens where the body does not say otherwise, as OpenAI documents it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from abierto.errors import InvalidRequest, OptionOutOfRange
from abierto.server.exchange import EVENT_STREAM, Call, Facts, Job, Route, sse
from abierto.server.openai.chat_body import answers_of, check_stream, sampling_of
from abierto.server.openai.chat_forms import SamplingBody
from abierto.server.openai.texts import Texts, texts_of
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.events import Event, Finish, Logprobs, Text, Usage

MOST_TOGETHER = 32  # answers of one request, to all of its prompts
USUAL_TOKENS = 16


class CompletionBody(SamplingBody, kw_only=True):
    """The body."""

    prompt: Texts | None = None
    echo: bool | None = False
    suffix: str | None = None
    best_of: int | None = None
    logprobs: int | None = None


def completion(call: Call) -> Job:
    """The job that a body asks for."""
    body: CompletionBody = call.body
    requests = parse(body)
    spoken = [request.prompt if body.echo else "" for request in requests]
    prompts = len(requests) // (body.n or 1)
    usage = bool(body.stream_options and body.stream_options.include_usage)
    writer = CompletionStream(f"cmpl-{secrets.token_hex(12)}", spoken, prompts, usage=usage)
    return Job(body.model, requests, writer.whole, writer if body.stream else None, body.keep_alive)


def parse(body: CompletionBody) -> tuple[CompleteRequest, ...]:
    """The requests: `n` for each prompt, one prompt after the other. Raises InvalidRequest, OptionOutOfRange."""
    prompts = texts_of(body.prompt, "$.prompt", MOST_TOGETHER)
    check_stream(body)
    if body.suffix:
        raise InvalidRequest("no model here writes what stands between two texts", "$.suffix")
    if body.best_of is not None and body.best_of != (body.n or 1):
        raise InvalidRequest("answers are not made to be thrown away here: `best_of` must be `n`", "$.best_of")
    if body.echo and body.logprobs is not None:
        raise InvalidRequest("log-probabilities of the prompt are not known here", "$.logprobs")
    sampling = sampling_of(body)
    sampling = replace(sampling, max_tokens=USUAL_TOKENS if sampling.max_tokens is None else sampling.max_tokens)
    answers = answers_of(body, sampling)
    if len(prompts) * len(answers) > MOST_TOGETHER:
        raise OptionOutOfRange("n", len(answers), 1, MOST_TOGETHER // len(prompts))
    return tuple(CompleteRequest(prompt, one, None, body.logprobs) for prompt in prompts for one in answers)


class CompletionStream:
    """See `exchange.Stream`; `whole` makes the answer at once.

    spoken: what each answer begins with. prompts: of how many prompts the answers are.
    """

    media_type = EVENT_STREAM

    def __init__(self, name: str, spoken: Sequence[str], prompts: int, *, usage: bool) -> None:
        self._name, self._spoken, self._prompts, self._with_usage = name, spoken, prompts, usage
        self._head: dict[str, Any] = {}
        self._offsets = [len(text) for text in spoken]
        self._logprobs: dict[int, list[dict[str, Any]]] = {}
        self._usages: dict[int, Usage] = {}

    def whole(self, answers: Sequence[Sequence[Event]], facts: Facts) -> Any:
        """The body of a whole answer."""
        usages = {index: event for index, events in enumerate(answers) for event in events if isinstance(event, Usage)}
        choices = [self._choice(index, events) for index, events in enumerate(answers)]
        return {**self._heading(facts), "choices": choices, "usage": usage_of(usages, len(answers) // self._prompts)}

    def begin(self, facts: Facts) -> bytes:
        """See `exchange.Stream`. The prompts come first, where they are asked for."""
        self._head = self._heading(facts)
        return b"".join(self._chunk(index, text) for index, text in enumerate(self._spoken) if text)

    def event(self, index: int, event: Event) -> bytes:
        """See `exchange.Stream`."""
        match event:
            case Text():
                told = self._logprobs.pop(index, None)
                logprobs = None if told is None else logprobs_of(told, self._offsets[index])
                self._offsets[index] += len(event.text)
                return self._chunk(index, event.text, logprobs)
            case Logprobs():
                self._logprobs.setdefault(index, []).extend(event.tokens)
            case Finish():
                return self._chunk(index, "", reason=reason_of(event))
            case Usage():
                self._usages[index] = event
        return b""

    def end(self) -> bytes:
        """See `exchange.Stream`. With `include_usage` the last chunk has no choices."""
        usage = usage_of(self._usages, len(self._spoken) // self._prompts)
        last = sse({**self._head, "choices": [], "usage": usage}) if self._with_usage else b""
        return last + b"data: [DONE]\n\n"

    def failed(self, body: Any) -> bytes:
        """See `exchange.Stream`."""
        return sse(body)

    def _heading(self, facts: Facts) -> dict[str, Any]:
        return {
            "id": self._name,
            "object": "text_completion",
            "created": facts.created,
            "model": facts.model,
            "system_fingerprint": facts.loaded,
        }

    def _choice(self, index: int, events: Sequence[Event]) -> dict[str, Any]:
        words = "".join(event.text for event in events if isinstance(event, Text))
        told = [token for event in events if isinstance(event, Logprobs) for token in event.tokens]
        reason = next((reason_of(event) for event in events if isinstance(event, Finish)), "stop")
        logprobs = logprobs_of(told, len(self._spoken[index])) if told else None
        return {"index": index, "text": self._spoken[index] + words, "logprobs": logprobs, "finish_reason": reason}

    def _chunk(self, index: int, text: str, logprobs: Any = None, reason: str | None = None) -> bytes:
        choice = {"index": index, "text": text, "logprobs": logprobs, "finish_reason": reason}
        chunk = {**self._head, "choices": [choice]}
        return sse(chunk | ({"usage": None} if self._with_usage else {}))


def reason_of(finish: Finish) -> str:
    """Why it ended, in the words that completions have."""
    return "length" if finish.reason == "length" else "stop"


def usage_of(usages: dict[int, Usage], answers: int) -> dict[str, Any]:
    """What all answers cost together, by their indices; a prompt counts once for all of its `answers`."""
    prompts: dict[int, Usage] = {}
    for index, usage in usages.items():
        prompts.setdefault(index // answers, usage)
    prompt = sum(usage.prompt_tokens for usage in prompts.values())
    written = sum(usage.completion_tokens for usage in usages.values())
    return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}


def logprobs_of(tokens: Sequence[dict[str, Any]], offset: int) -> dict[str, Any]:
    """The log-probabilities of tokens, as completions tell them. offset: characters before the first token."""
    offsets: list[int] = []
    for token in tokens:
        offsets.append(offset)
        offset += len(token["token"])
    tops = [{one["token"]: one["logprob"] for one in (*token["top"], token)} for token in tokens]
    return {
        "tokens": [token["token"] for token in tokens],
        "token_logprobs": [token["logprob"] for token in tokens],
        "top_logprobs": tops,
        "text_offset": offsets,
    }


ROUTES = (Route("POST", "/v1/completions", completion, CompletionBody),)
