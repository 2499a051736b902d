"""Makes a tree of a flat list of tensors, by the dots and slashes in their names.

Blocks that follow each other by number and have the same parts are folded into one, `layers.0-29`. Types may differ
between them, as they do in files of mixed precision; shapes may not. It knows no architecture.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from abierto.formats.contents import Tensor

DEEPEST = 16  # levels; what lies deeper keeps its dots
_NUMBERED = re.compile(r"(.*?)(\d{1,9})")
_BETWEEN = re.compile(r"[./]")


@dataclass(frozen=True, slots=True)
class Block:
    """One branch. repeats: how many blocks were folded into it; numbers and sizes are of all of them together.

    tensors: how many. size: bytes. dtypes: parameters by type. shape: of a tensor; None for a block, and where the
    file does not say.
    """

    name: str
    repeats: int
    tensors: int
    parameters: int
    size: int
    dtypes: Mapping[str, int]
    shape: tuple[int, ...] | None = None
    children: tuple["Block", ...] = ()


@dataclass(slots=True)
class _Node:
    """A branch while the tree grows: its own tensor, and what is below it."""

    tensor: Tensor | None = None
    children: dict[str, "_Node"] = field(default_factory=dict)
    likeness: int = 0  # the same number for branches with the same parts


def tree(tensors: Iterable[Tensor]) -> tuple[Block, ...]:
    """The top of the tree."""
    root = _Node()
    for tensor in tensors:
        node = root
        for part in _BETWEEN.split(tensor.name.strip("./"), maxsplit=DEEPEST - 1):
            node = node.children.setdefault(part, _Node())
        node.tensor = tensor
    _compare(root, {})
    return _blocks([root])


def _compare(node: _Node, known: dict[tuple[object, ...], int]) -> int:
    parts = tuple((name, _compare(child, known)) for name, child in sorted(node.children.items()))
    node.likeness = known.setdefault((node.tensor.shape if node.tensor else "", parts), len(known))
    return node.likeness


def _blocks(alike: Sequence[_Node]) -> tuple[Block, ...]:
    """What is below some branches with the same parts, as if they were one."""
    items = [(name, [node.children[name] for node in alike]) for name in alike[0].children]
    return tuple(_block(name, same, len(alike)) for name, same in _folded(sorted(items, key=_order)))


def _order(item: tuple[str, list[_Node]]) -> tuple[str, int, str]:
    """Blocks by number: 2 before 10."""
    found = _NUMBERED.fullmatch(item[0])
    return (found[1], int(found[2]), item[0]) if found else (item[0], -1, item[0])


def _folded(items: Sequence[tuple[str, list[_Node]]]) -> list[tuple[str, list[_Node]]]:
    """Neighbours that are alike in one item, named by the first and the last."""
    found: list[tuple[str, list[_Node]]] = []
    before: tuple[str, int, int] | None = None  # what stands before the number, the number, the likeness
    start = ""
    for name, nodes in items:
        numbered = _NUMBERED.fullmatch(name) if nodes[0].children else None
        now = (numbered[1], int(numbered[2]), nodes[0].likeness) if numbered else None
        if now and before and now == (before[0], before[1] + 1, before[2]):
            found[-1] = (f"{start}-{now[1]}", found[-1][1])
            found[-1][1].extend(nodes)
        else:
            found.append((name, nodes))
            start = name
        before = now
    return found


def _block(name: str, alike: list[_Node], outer: int) -> Block:
    """outer: how many branches were folded into the one above."""
    tensors = [node.tensor for node in alike if node.tensor]
    children = _blocks(alike) if alike[0].children else ()
    if not tensors and len(children) == 1:
        only = children[0]
        return replace(only, name=f"{name}.{only.name}", repeats=only.repeats * len(alike) // outer)
    dtypes: Counter[str] = Counter()
    for tensor in tensors:
        dtypes[tensor.dtype] += tensor.elements
    for child in children:
        dtypes.update(child.dtypes)
    return Block(
        name=name,
        repeats=len(alike) // outer,
        tensors=len(tensors) + sum(child.tensors for child in children),
        parameters=sum(tensor.elements for tensor in tensors) + sum(child.parameters for child in children),
        size=sum(tensor.size for tensor in tensors) + sum(child.size for child in children),
        dtypes=dict(dtypes),
        shape=tensors[0].shape if tensors and not children else None,
        children=children,
    )
