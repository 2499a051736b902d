"""The names of the files that one model is split over: NAME-00001-of-00003.gguf. It looks at no disk.

The engines find the other parts by these names, so that a part that is called otherwise is not found.
"""

import re
from collections.abc import Iterable

_PART = re.compile(r"-(\d{5})-of-(\d{5})(?=\.(?:gguf|safetensors)$)", re.IGNORECASE)
MOST_PARTS = 1000  # a name may claim more; the largest models come in some hundred


def part_names(name: str) -> tuple[str, ...]:
    """The names of all parts, in order, of the model that a file of this name is a part of; () for a whole one."""
    found = _PART.search(name)
    count = int(found[2]) if found else 0
    if not found or not 1 < count <= MOST_PARTS:
        return ()
    return tuple(
        f"{name[: found.start()]}-{number:05}-of-{found[2]}{name[found.end() :]}" for number in range(1, count + 1)
    )


def whole_name(name: str) -> str:
    """The name without the number of the part."""
    return _PART.sub("", name) if part_names(name) else name


def first_parts(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The models that files of these names are, by the name of each one's first file: all that belong to it.

    What a model needs and `names` lacks is there all the same, so that somebody can miss it.
    """
    models: dict[str, tuple[str, ...]] = {}
    for name in sorted(names):
        parts = part_names(name) or (name,)
        models[parts[0]] = parts
    return models
