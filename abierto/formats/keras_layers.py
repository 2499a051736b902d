"""What the description of a Keras network says of its layers, and which of them hold a program of their own.

Format: https://keras.io/guides/serialization_and_saving.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from abierto.formats.contents import Facts, Finding, short

MAX_CONFIG = 4_000_000  # bytes; what is made of them in memory is some thirty times as much
MAX_TOLD = 100
MAX_OBJECTS = 1_000_000
_OWN_CODE = ("Lambda", "__lambda__")
_LAMBDA = re.compile(rb'"class_name"\s{0,4}:\s{0,4}"(?:Lambda|__lambda__)"')


@dataclass(slots=True)
class Layers:
    """architecture: the class of the whole. kinds: how many of each class. foreign: classes that Keras does not have.
    lambdas: whether one holds a program."""

    architecture: str = ""
    kinds: Counter[str] = field(default_factory=Counter)
    foreign: set[str] = field(default_factory=set)
    lambdas: bool = False

    def read(self, body: dict[str, Any]) -> None:
        """Add what a description says."""
        self.architecture = self.architecture or short(str(body.get("class_name", "")), 60)
        for one in _objects(body):
            kind, module = one["class_name"], one.get("module")
            self.lambdas |= kind in _OWN_CODE
            if len(self.kinds) < 10_000:
                self.kinds[short(kind, 60)] += 1
            name = str(one.get("registered_name") or "")  # of a class of somebody's own: package>name
            strange = isinstance(module, str) and not module.startswith(("keras", "builtins"))
            own = ">" in name and not name.startswith("keras")
            if (strange or own) and len(self.foreign) < 1000:
                self.foreign.add(short(f"{module or ''}.{kind}", 60))

    def look_through(self, raw: bytes) -> None:
        """Add what some text says, if it is a description; else look for a program in it."""
        self.lambdas |= bool(_LAMBDA.search(raw))
        if raw[:1] != b"{" or len(raw) > MAX_CONFIG:
            return
        try:
            body = json.loads(raw.rstrip(b"\0"))
        except (ValueError, RecursionError):
            return
        if isinstance(body, dict) and isinstance(body.get("class_name"), str):
            self.read(body)

    def findings(self) -> Iterator[Finding]:
        """The layers that run a program of their own when they are loaded or used."""
        if self.lambdas:
            yield Finding("lambda_layer", "executes")
        if self.foreign:
            yield Finding("own_code", "executes", {"names": ", ".join(sorted(self.foreign)[:10])})

    def facts(self, **more: str) -> Facts:
        """The same as facts of a model, with others of the format."""
        layers = {"layers": dict(self.kinds.most_common(MAX_TOLD))} if self.kinds else {}
        return Facts(architecture=self.architecture, framework="keras", more={**more, **layers})


def _objects(root: Any) -> Iterator[dict[str, Any]]:
    """All objects in it that name a class."""
    waiting, left = [root], MAX_OBJECTS
    while waiting and left:
        left -= 1
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("class_name"), str):
                yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
