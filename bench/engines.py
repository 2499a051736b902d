"""What `auto` takes for each use, against llama.cpp's own server built on this computer, on the starter model.

Both sides are loaded and idle while the other works; they take turns, answer for answer. The peer runs the same file,
and the quantisation that suits it best (Q4_0), each in a server of its own. Every prompt begins differently, so that
none is known from before; sampling is greedy.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from threading import Thread
from time import perf_counter

from abierto import machine
from abierto.config import folders
from abierto.runtime.choice import CHARACTERS_PER_TOKEN, Variant
from abierto.runtime.model import Model, load
from abierto.runtime.resolve import resolve
from abierto.runtime.tune import Row, newest, tune
from abierto.tasks.chat import ChatRequest, Message, Sampling
from abierto.tasks.events import Text, Usage
from bench.measure import median, ratios, spread
from bench.peer import Peer, Timed

MODEL = "smollm2:135m"
ROUNDS, TOGETHER = 7, 16
CONTEXT = 2048

_STORY = "{0}. Tell me a long story about a river, with many characters."
_READ = "{0}. Read this list, and say what it is about.\n\n"
_EDIT = "{0}. Rewrite the following text, and correct every mistake:\n\n"
_LINE = "{0}. The warehouse in Sevilla holds {1} boxes of oranges, and each box weighs twelve kilograms.\n"
_LINES = "".join(_LINE.format(number, number * 7 % 50) for number in range(1, 24))

Answer = Callable[[str, int], Timed]


def rows(best: Path) -> Iterator[str]:
    """The lines of a Markdown table. best: the same model in the quantisation that suits the peer best."""
    yield from _measured()
    yield "| use | auto takes | Abierto | llama-server | ratio | goal | reached | with Q4_0 | ratio | goal | reached |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    same = resolve(MODEL, folders().models).files[0]
    numbers = count(100)
    for name, use, slots, measure, goals in (
        ("seconds to the first token of 512", "long_prompt", 1, _first, (0.25, 1.0)),
        ("token/s, one user", "one_user", 1, _one, (0.95, None)),
        ("token/s, one user, repetitive text to edit", "one_user", 1, _edit, (1.5, None)),
        (f"token/s, {TOGETHER} together", "many", TOGETHER, _together, (2.5, 1.0)),
    ):
        with ExitStack() as held:
            threads = machine.cores().physical
            # As `abierto chat` tells it, which knows the question before it loads the model.
            prompt = len(_EDIT + _LINES) // CHARACTERS_PER_TOKEN if measure is _edit else 0
            model = held.enter_context(load(MODEL, use=use, context=CONTEXT, together=slots, prompt=prompt))
            peers = [held.enter_context(Peer(file, threads, slots, CONTEXT)) for file in (same, str(best))]
            sides: list[Answer] = [_asker(model), *(peer.answer for peer in peers)]
            found: list[list[float]] = [[] for _ in sides]
            for turn in range(ROUNDS + 1):
                for side, values in zip(sides, found, strict=True):
                    value = measure(side, next(numbers))
                    if turn:
                        values.append(value)
            yield _row(name, told(model.variant), found, goals, lower=measure is _first)


def _measured() -> Iterator[str]:
    """What `auto` knows when it chooses."""
    yield "| measured by `abierto tune` | start, s | prompt | generation | repeating | together |"
    yield "|---|---|---|---|---|---|"
    for row in newest(step for step in tune(MODEL) if isinstance(step, Row)):
        if row.measured:
            speeds = row.measured.speeds
            rates = (speeds.prompt, speeds.generation, speeds.repeating, speeds.together)
            yield f"| {told(row.variant)} | {speeds.start:.2f} | {' | '.join(f'{rate:.0f}' for rate in rates)} |"
    yield ""


def _row(name: str, by: str, found: list[list[float]], goals: tuple[float | None, ...], lower: bool) -> str:
    digits = 3 if lower else 0
    cells = [name, by, spread(found[0], digits)]
    for values, goal in zip(found[1:], goals, strict=True):
        ratio = ratios(found[0], values)
        reached = "" if goal is None else "yes" if (median(ratio) <= goal if lower else median(ratio) >= goal) else "no"
        told = "" if goal is None else f"at {'most' if lower else 'least'} {goal:g}"
        cells += [spread(values, digits), spread(ratio), told, reached]
    return f"| {' | '.join(cells)} |"


def told(variant: Variant) -> str:
    """A variant as a person would call it."""
    parts = [variant.engine, *(["llama-server"] if "llama_server" in variant.settings else [])]
    parts += [variant.settings["speculation"]] if "speculation" in variant.settings else []
    return ", ".join(parts) + (f", {variant.threads} threads" if variant.threads else "")


def _asker(model: Model) -> Answer:
    def answer(prompt: str, tokens: int) -> Timed:
        request = ChatRequest((Message("user", prompt),), Sampling(max_tokens=tokens, temperature=0, top_p=1.0))
        began, first, made = perf_counter(), 0.0, 0
        for event in model.run(request):
            if isinstance(event, Text):
                first = first or perf_counter() - began
            elif isinstance(event, Usage):
                made = event.completion_tokens
        return Timed(first, perf_counter() - began, made)

    return answer


def _first(side: Answer, number: int) -> float:
    lines = _LINES.splitlines(keepends=True)[:19]
    return side(_READ.replace("{0}", str(number)) + "".join(lines), 1).first


def _one(side: Answer, number: int) -> float:
    return side(_STORY.replace("{0}", str(number)), 256).speed


def _edit(side: Answer, number: int) -> float:
    return side(_EDIT.replace("{0}", str(number)) + _LINES, 512).speed


def _together(side: Answer, number: int) -> float:
    found: list[Timed] = []

    def work(index: int) -> None:
        found.append(side(_STORY.replace("{0}", f"{number}, {index}"), 128))

    threads = [Thread(target=work, args=(index,)) for index in range(TOGETHER)]
    began = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(timed.tokens for timed in found) / (perf_counter() - began)
