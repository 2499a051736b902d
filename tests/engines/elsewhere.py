"""What each provider's stream looks like, and sessions with a stand-in. Each form names the package that states it."""

from typing import Any

from abierto import engines
from abierto.engines.session import LoadOptions, Session
from abierto.tasks.chat import ChatRequest, Message
from abierto.tasks.events import Event, Text
from tests.engines.stand_in_provider import Reply, StandInProvider

KEY = "sk-secret-0123456789"
ALL = "chat,complete,embed,rerank,images,tools,schema,seed,logprobs,logit_bias,reasoning"
HELLO = ChatRequest((Message("user", "hello"),))


def settings(provider: StandInProvider, **others: str) -> dict[str, str]:
    facts = {"provider": "groq", "address": provider.address, "model": "says", "key": KEY, "features": ALL}
    return {**facts, "pause": "0.001", **others}


def session(provider: StandInProvider, **others: str) -> Session:
    return engines.load("remote", [], LoadOptions(settings=settings(provider, **others)))


def answered(provider: StandInProvider, *replies: Reply, request: ChatRequest = HELLO) -> list[Event]:
    provider.replies = list(replies)
    return list(session(provider).chat(request))


def said(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


def chunk(delta: dict[str, Any], reason: str | None = None, **beside: Any) -> dict[str, Any]:
    """A piece as all of them write it."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": beside.pop("logprobs", None)}
    facts = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1763900000, "model": "says"}
    return {**facts, "system_fingerprint": "fp_1", "choices": [choice], **beside}


# Package groq (groq-python), types.chat.chat_completion_chunk.ChatCompletionChunk with XGroq: usage in `x_groq` too,
# and reasoning under `reasoning`. Apart from `x_groq`, its pieces are openai's.
USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
GROQ: list[Any] = [
    chunk({"role": "assistant", "content": ""}, x_groq={"id": "req_1"}),
    chunk({"reasoning": "Well. "}),
    chunk({"content": "Hé "}),
    chunk({"content": "你🙂"}),
    chunk({}, "stop", x_groq={"id": "req_1", "usage": {**USAGE, "prompt_time": 0.01, "completion_time": 0.02}}),
]
# Package together (together-python), types.chat_completions.ChatCompletionChunk, types.common.FinishReason.EOS and
# LogprobsPart: tokens and their numbers in two lists.
TOGETHER: list[Any] = [
    {**chunk({"content": "Hé "}, logprobs={"tokens": ["Hé "], "token_logprobs": [-0.25]}), "usage": None},
    {**chunk({"content": "你🙂"}, logprobs={"tokens": ["你🙂"], "token_logprobs": [-0.5]}), "usage": None},
    {**chunk({"content": ""}, "eos"), "usage": USAGE},
]
# Package sambanova (sambanova-python), types.chat.chat_completion_stream_response.ChatCompletionStreamResponse:
# ChoiceLogprobs.content is one token and no list, and the usage tells speeds beside.
SAMBANOVA: list[Any] = [
    chunk({"role": "assistant", "content": "Hé "}, logprobs={
        "content": {"token": "Hé ", "logprob": -0.25, "top_logprobs": {"token": "He ", "logprob": -1.5}}
    }),
    chunk({"content": "你🙂"}),
    chunk({"content": ""}, "stop"),
    {**chunk({}), "choices": None, "usage": {**USAGE, "is_last_response": True, "total_latency": 0.1}},
]  # fmt: skip
# Package openrouter, components.ChatStreamingResponseChunk and ChatStreamingMessageChunk; comments while it works are
# in the provider's document on streaming.
OPENROUTER: list[Any] = [
    ": OPENROUTER PROCESSING\n\n",
    chunk({"role": "assistant", "content": "", "reasoning": "Well. "}),
    chunk({"content": "Hé "}),
    chunk({"content": "你🙂"}),
    chunk({}, "stop", usage={**USAGE, "prompt_tokens_details": {"cached_tokens": 8}, "cost": 0.0001}),
]
# Package huggingface_hub, inference ChatCompletionStreamOutput.
HUGGINGFACE: list[Any] = [
    chunk({"role": "assistant", "content": "Hé "}),
    chunk({"role": "assistant", "content": "你🙂"}),
    chunk({"role": "assistant", "content": ""}, "stop", usage=USAGE),
]
STREAMS = {
    "groq": GROQ, "together": TOGETHER, "sambanova": SAMBANOVA, "openrouter": OPENROUTER, "huggingface": HUGGINGFACE
}  # fmt: skip


OPENAI_ERROR = {"message": f"Incorrect API key provided: {KEY}", "type": "invalid_request_error", "code": "x"}
