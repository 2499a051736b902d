"""Follows the opcodes of a pickle without running any: what is called stays a note that it would be called.

Opcodes as https://docs.python.org/3/library/pickletools.html describes them. Long runs of bytes are skipped, so that
weights inside of a pickle are not read. It imports nothing that a pickle names.
"""

import pickletools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

MAX_OPCODES = 1_000_000
MAX_READ = 4_000  # bytes of one argument; longer ones are skipped
MAX_KEPT = 64_000_000  # bytes of all arguments together
MAX_STACK = 200_000


@dataclass(eq=False, slots=True)
class Name:
    """Something that would be imported."""

    text: str


@dataclass(eq=False, slots=True)
class Call:
    """Something that would be called, with what, and what it would be filled with. rest: items without a key."""

    function: Any
    arguments: Any
    items: dict[str | int, Any] = field(default_factory=dict)
    rest: list[Any] = field(default_factory=list)
    state: Any = None


@dataclass(eq=False, slots=True)
class Stored:
    """What the program that reads the pickle keeps elsewhere, by what it is told."""

    key: Any


class Stopped(Exception):
    """The pickle cannot be followed any further; what was seen until there counts."""


@dataclass(slots=True)
class Followed:
    """What a pickle would make. names: all that it would import. calls: how many times something would be called.

    whole: whether it came to its end; `value` is None where it did not.
    """

    value: Any = None
    names: dict[str, None] = field(default_factory=dict)
    calls: int = 0
    whole: bool = False


def follow(file: IO[bytes], behind: Callable[[Call, IO[bytes], Followed], None] | None = None) -> Followed:
    """Follow one pickle from where the file stands. Afterwards the file stands behind it, if it was whole.

    behind: skips what some programs write between two opcodes, after an object was filled. It may raise Stopped.
    """
    machine = _Machine()
    try:
        for number, (opcode, argument, _) in enumerate(_opcodes(file)):
            if number >= MAX_OPCODES or len(machine.stack) > MAX_STACK:
                break
            if opcode == "STOP":
                machine.found.value = machine.stack.pop()
                machine.found.whole = True
                break
            machine.step(opcode, argument)
            if behind and opcode == "BUILD" and isinstance(filled := machine.stack[-1], Call):
                behind(filled, file, machine.found)
    except (Stopped, ValueError, IndexError, KeyError, OverflowError, UnicodeDecodeError, TypeError, RecursionError):
        pass
    return machine.found


def _opcodes(file: IO[bytes]) -> Iterator[tuple[str, Any, int | None]]:
    sparing: Any = _Sparing(file)
    for opcode, argument, position in pickletools.genops(sparing):
        yield opcode.name, argument, position


class _Skipped(bytes):
    """Stands for bytes that were not read, and says that it is as long as they are."""

    length = 0

    def __len__(self) -> int:
        return self.length


class _Sparing:
    """The file as pickletools reads it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = MAX_KEPT

    def read(self, size: int = -1, /) -> bytes:
        if 0 <= size <= MAX_READ:
            return self._counted(self._file.read(size))
        here, end = self._file.tell(), self._file.seek(0, 2)
        if size < 0 or here + size > end:
            raise Stopped
        self._file.seek(here + size)
        skipped = _Skipped()
        skipped.length = size
        return skipped

    def readline(self) -> bytes:
        return self._counted(self._file.readline(MAX_READ))

    def tell(self) -> int:
        return self._file.tell()

    def _counted(self, raw: bytes) -> bytes:
        self._left -= len(raw)
        if self._left < 0:
            raise Stopped
        return raw


_MARK = Name("")  # the place in the stack where a list of arguments begins


class _Machine:
    """The stack and the memo, as a program that reads pickles has them."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[Any, Any] = {}
        self.found = Followed()

    def step(self, opcode: str, argument: Any) -> None:
        action = _ACTIONS.get(opcode)
        if action:
            action(self)
        elif opcode in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.stack[-1]
        elif opcode in ("GET", "BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[argument])
        elif opcode == "GLOBAL":
            self._imported(str(argument).replace(" ", "."))
        elif opcode == "INST":
            arguments = self._marked()
            self._imported(str(argument).replace(" ", "."))
            self._call(tuple(arguments))
        elif opcode.startswith("EXT"):
            self._imported(f"copyreg.extension_{argument}")
        elif opcode == "PERSID":
            self.stack.append(Stored(argument))
        elif opcode not in ("PROTO", "FRAME", "READONLY_BUFFER"):
            self.stack.append(argument)

    def _imported(self, name: str) -> None:
        self.found.names[name] = None
        self.stack.append(Name(name))

    def _marked(self) -> list[Any]:
        """What was put onto the stack since the last mark."""
        at = next(place for place in range(len(self.stack) - 1, -1, -1) if self.stack[place] is _MARK)
        taken = self.stack[at + 1 :]
        del self.stack[at:]
        return taken

    def _call(self, arguments: Any) -> None:
        self.found.calls += 1
        self.stack.append(Call(self.stack.pop(), arguments))

    def mark(self) -> None:
        self.stack.append(_MARK)

    def pop(self) -> None:
        self.stack.pop()

    def pop_mark(self) -> None:
        self._marked()

    def duplicate(self) -> None:
        self.stack.append(self.stack[-1])

    def stored(self) -> None:
        self.stack.append(Stored(self.stack.pop()))

    def new_list(self) -> None:
        self.stack.append([])

    def new_dict(self) -> None:
        self.stack.append({})

    def make_list(self) -> None:
        self.stack.append(self._marked())

    def make_tuple(self) -> None:
        self.stack.append(tuple(self._marked()))

    def make_dict(self) -> None:
        items = self._marked()
        self.stack.append({})
        self._set(items)

    def tuple_0(self) -> None:
        self.stack.append(())

    def tuple_1(self) -> None:
        self.stack[-1:] = [tuple(self.stack[-1:])]

    def tuple_2(self) -> None:
        self.stack[-2:] = [tuple(self.stack[-2:])]

    def tuple_3(self) -> None:
        self.stack[-3:] = [tuple(self.stack[-3:])]

    def append(self) -> None:
        self._add([self.stack.pop()])

    def appends(self) -> None:
        self._add(self._marked())

    def _add(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(items)
        elif isinstance(target, Call):
            target.rest.extend(items)

    def set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key, value])

    def set_items(self) -> None:
        self._set(self._marked())

    def _set(self, items: list[Any]) -> None:
        target = self.stack[-1]
        found = target.items if isinstance(target, Call) else target
        if isinstance(found, dict):
            pairs = zip(items[::2], items[1::2], strict=False)
            found.update((key if isinstance(key, str | int) else str(len(found)), value) for key, value in pairs)

    def stack_global(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        known = isinstance(name, str) and isinstance(module, str)
        self._imported(f"{module}.{name}" if known else "?")

    def reduce(self) -> None:
        self._call(self.stack.pop())

    def new_object_with(self) -> None:
        keywords, arguments = self.stack.pop(), self.stack.pop()
        self._call((arguments, keywords))

    def make_object(self) -> None:
        items = self._marked()
        self.stack.append(items[0])
        self._call(tuple(items[1:]))

    def build(self) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], Call):
            self.stack[-1].state = state

    def memoize(self) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def buffer(self) -> None:
        self.stack.append(Stored("buffer"))


_ACTIONS: Mapping[str, Callable[[_Machine], None]] = {
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "POP_MARK": _Machine.pop_mark,
    "DUP": _Machine.duplicate,
    "BINPERSID": _Machine.stored,
    "EMPTY_LIST": _Machine.new_list,
    "EMPTY_SET": _Machine.new_list,
    "EMPTY_DICT": _Machine.new_dict,
    "EMPTY_TUPLE": _Machine.tuple_0,
    "LIST": _Machine.make_list,
    "FROZENSET": _Machine.make_list,
    "TUPLE": _Machine.make_tuple,
    "DICT": _Machine.make_dict,
    "TUPLE1": _Machine.tuple_1,
    "TUPLE2": _Machine.tuple_2,
    "TUPLE3": _Machine.tuple_3,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "ADDITEMS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "STACK_GLOBAL": _Machine.stack_global,
    "REDUCE": _Machine.reduce,
    "NEWOBJ": _Machine.reduce,
    "NEWOBJ_EX": _Machine.new_object_with,
    "OBJ": _Machine.make_object,
    "BUILD": _Machine.build,
    "MEMOIZE": _Machine.memoize,
    "NEXT_BUFFER": _Machine.buffer,
}
