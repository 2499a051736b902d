"""The engines, the ways to run them, and the tiny models that the contract is tested with."""

import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

from abierto import engines
from abierto.engines.session import LoadOptions, Session
from abierto.runtime import child
from abierto.tasks.chat import ChatRequest, Message, Sampling
from tests.engines.stand_in_provider import StandInProvider
from tests.tiny_gguf import THINKING_TEMPLATE, TOOL_TEMPLATE, TinyGGUF
from tests.tiny_projector import TinyProjector

HERE = Path(__file__).parent
SAYS = "Hé 你🙂."
# Half precision, because openvino reads no other tensors that are not quantised.
MODELS = {
    "says": TinyGGUF(says=SAYS, context=1024, dtype="f16"),
    "endless": TinyGGUF(says="abc", ends=False, context=8192, dtype="f16"),
    "random": TinyGGUF(context=1024, dtype="f16"),
    "mmproj": TinyProjector(),
    "tools": TinyGGUF(says="<use>", context=2048, metadata={"tokenizer.chat_template": TOOL_TEMPLATE}),
    "thinks": TinyGGUF(metadata={"tokenizer.chat_template": THINKING_TEMPLATE}, dtype="f16"),
    "embed": TinyGGUF(context=512, metadata={"llama.pooling_type": 3}),
    "rerank": TinyGGUF(architecture="qwen3", ranks=True, context=512),
    "plain": TinyGGUF(says=SAYS, dtype="f16", metadata={"tokenizer.chat_template": None}),
}


@dataclass(frozen=True)
class Kind:
    """An engine and where it runs. program: a script that is run as its llama-server. guesses: repetitions."""

    engine: str
    place: str
    program: str = ""
    guesses: bool = False

    def __str__(self) -> str:
        return f"{self.engine}{'-program' * bool(self.program)}{'-guesses' * self.guesses}-{self.place}"


# Those that hold conversations; an engine that reads neither is for another task, and has tests of its own.
TALKING = [name for name, formats in engines.ENGINES.items() if {"none", "gguf"} & set(formats)]
KINDS = [
    Kind(engine, place, program)
    for engine, program in (*((name, "") for name in TALKING), ("llamacpp", "llama_server.py"))
    for place in ("here", "child")
]
KINDS += [Kind(engine, "here", guesses=True) for engine in engines.OPTIONS]
LLAMA = [kind for kind in KINDS if kind.engine == "llamacpp"]
OPENVINO = [kind for kind in KINDS if kind.engine == "openvino"]


@dataclass
class Workshop:
    """Makes sessions, and ends them all."""

    folder: Path
    opened: dict[tuple[Kind, str], Session] = field(default_factory=dict)
    providers: list[StandInProvider] = field(default_factory=list)

    def model(self, name: str) -> str:
        """The path of a tiny model."""
        path = self.folder / f"{name}.gguf"
        if not path.exists():
            MODELS[name].write(path)
        return str(path)

    def program(self, script: str) -> str:
        """The path of an executable file that runs one of the scripts beside this file."""
        path = self.folder / script.removesuffix(".py")
        if not path.exists():
            # Not the interpreter by itself: a first line cannot hold a path with spaces.
            command = shlex.join([sys.executable, str(HERE / script)])
            path.write_text(f'#!/bin/sh\nexec {command} "$@"\n', "utf-8")
            path.chmod(0o755)
        return str(path)

    def load(
        self,
        kind: Kind,
        model: str,
        *,
        context: int = 512,
        max_concurrent: int = 2,
        projector: str = "",
        task: str = "chat",
    ) -> Session:
        """A new session; whoever asked closes it. projector: the name of one, too."""
        settings = {"llama_server": self.program(kind.program)} if kind.program else {}
        if "none" in engines.ENGINES[kind.engine] and model == "endless":
            settings = {"tokens_per_second": "50"}
        settings |= {"speculation": "ngram"} if kind.guesses else {}
        settings |= self.elsewhere(model) if kind.engine == "remote" else {}
        beside = self.model(projector) if projector else ""
        options = LoadOptions(context, 2, max_concurrent, beside, task, settings)
        load = child.load if kind.place == "child" else engines.load
        return load(kind.engine, [self.model(model)], options)

    def session(self, kind: Kind, model: str, projector: str = "", task: str = "chat", context: int = 512) -> Session:
        """A session that the tests share."""
        name = f"{model}{projector}{task}{context}"
        if (kind, name) not in self.opened:
            self.opened[kind, name] = self.load(kind, model, projector=projector, task=task, context=context)
        return self.opened[kind, name]

    def elsewhere(self, model: str) -> dict[str, str]:
        """The settings for a model on a computer that repeats what it is told, as the echo engine does."""
        if not self.providers:
            self.providers.append(StandInProvider().__enter__())
        facts = {"provider": "stand_in", "address": self.providers[0].address, "model": model}
        return {**facts, "features": "chat,seed", "pause": "0.001"}

    def close(self) -> None:
        """End all sessions that are shared."""
        for session in self.opened.values():
            session.close()
        for provider in self.providers:
            provider.__exit__(None, None, None)


def ask(content: str = SAYS, **sampling: object) -> ChatRequest:
    """A request with one message."""
    return ChatRequest((Message("user", content),), Sampling(**sampling))  # type: ignore[arg-type]
