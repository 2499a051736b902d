"""How near the memory that is foretold comes to what is measured: the starter model with several contexts and users,
and models of random weights in other shapes, with both engines.

A case is measured when every conversation has been filled nearly to its end. The constants of the formulas were frozen
before: `CHOSEN_BY` are cases that they were chosen by, and `HELD_BACK` cases that nobody had looked at. With the
sum are compared the pages of the file that are spare, because the system counts these with the process.
"""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from abierto import machine
from abierto.config import folders
from abierto.engines.session import LoadOptions, Session
from abierto.runtime import child
from abierto.runtime.fit import size_of
from abierto.runtime.resolve import resolve
from abierto.tasks.chat import Sampling
from abierto.tasks.complete import CompleteRequest
from bench import random_model
from bench.engines import MODEL

MB = 1_000_000
GOAL_SHARE, GOAL_BYTES = 0.05, 100 * (1 << 20)
ENGINES = ("llamacpp", "openvino")
ANSWER = 16  # tokens


@dataclass(frozen=True, slots=True)
class Case:
    """A model (the starter one, or a shape of `random_model`), and what it is loaded with."""

    model: str
    context: int
    users: int


CHOSEN_BY = (Case(MODEL, 2048, 1), Case("0.36B", 2048, 1), Case("1.0B", 2048, 1))
HELD_BACK = (Case(MODEL, 1024, 1), Case(MODEL, 1024, 4), Case("0.36B", 1024, 2), Case("1.5B", 512, 1))


def rows() -> Iterator[str]:
    """The lines of a Markdown table."""
    yield "| case | model | context | users | engine | foretold, MB | measured, MB | away | goal | reached |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    words = resolve(MODEL, folders().models).files[0]
    with tempfile.TemporaryDirectory() as folder:
        for kind, cases in (("held back", HELD_BACK), ("chosen by", CHOSEN_BY)):
            for case in cases:
                path = Path(folder) / f"{case.model}.gguf"
                if case.model != MODEL and not path.exists():
                    random_model.write(path, random_model.SHAPES[case.model], words)
                for engine in ENGINES:
                    yield _row(kind, case, engine, words if case.model == MODEL else str(path))


def _row(kind: str, case: Case, engine: str, file: str) -> str:
    target = resolve(file, folders().models)
    foretold = size_of(target, case.users, engine).estimate(case.context)
    expected, measured = foretold.total + foretold.spare, _measured(engine, file, case)
    away = expected - measured
    reached = "yes" if abs(away) <= max(GOAL_SHARE * measured, GOAL_BYTES) else "no"
    cells = [
        kind,
        case.model,
        str(case.context),
        str(case.users),
        engine,
        f"{expected / MB:.0f}",
        f"{measured / MB:.0f}",
    ]
    return f"| {' | '.join(cells)} | {away / MB:+.0f} MB, {away / measured:+.1%} | 5 % or 100 MiB | {reached} |"


def _measured(engine: str, file: str, case: Case) -> int:
    options = LoadOptions(context=case.context, threads=machine.cores().physical, max_concurrent=case.users)
    with closing(child.load(engine, [file], options)) as session:
        threads = [Thread(target=_fill, args=(session, case.context, number)) for number in range(case.users)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return machine.process_memory(session.pid)


def _fill(session: Session, context: int, number: int) -> None:
    """A conversation that leaves no more room than its answer takes."""
    words, text = (context - ANSWER) // 2, ""
    while words:
        text = f"{number}" + " orange river" * words
        if session.count_tokens(CompleteRequest(text)) < context - ANSWER:
            break
        words = words * 9 // 10
    for _ in session.complete(CompleteRequest(text, Sampling(max_tokens=ANSWER, temperature=0))):
        pass
