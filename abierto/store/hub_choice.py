"""Which of a repository's files a person means: one model among its quantisations, whole. It asks nobody.

GGUF files come first; a repository without any is looked through for models that are folders (`hub_sets`).
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from abierto.errors import AmbiguousFile, FileNotInRepository
from abierto.formats.split import part_names, whole_name
from abierto.store import hub_sets
from abierto.store.hub_sets import HubFile
from abierto.store.sources import HubSource

__all__ = ["HubFile", "choose"]

# As the makers of GGUF files name the precision: Q4_K_M, IQ2_XXS, UD-Q4_K_XL, TQ1_0, MXFP4_MOE, BF16.
_QUANTISATION = re.compile(r"(?i)(?<![a-z0-9])(?:(?:ud-)?i?q\d\w*|tq\d_\d|mxfp\d\w*|bf16|f16|f32)(?=$|[-.])")
# Not models: eyes for one, and what somebody measured to make quantisations.
_BESIDE = ("mmproj", "imatrix")
# What is offered where nothing is meant.
_MODELS = (".gguf", *hub_sets.WEIGHTS)
_OFFERED = 5
_PROJECTOR = "mmproj"
# A projector's precisions, the best first: an image is small work, and bfloat16 is slow on many processors.
_PRECISIONS = ("f16", "q8_0", "bf16", "f32")


def choose(source: HubSource, files: Sequence[HubFile]) -> tuple[HubFile, ...]:
    """The file that a source means, or the parts of one in their order, or a folder's; the first stands for the model.

    Raises AmbiguousFile with the quantisations and their sizes, and FileNotInRepository, also for a missing part.
    """
    models = _models(file for file in files if file.name.lower().endswith(".gguf"))
    exact = {name: parts for name, parts in models.items() if source.pattern in (part.path for part in parts)}
    found = exact or {name: parts for name, parts in models.items() if _is_meant(source.pattern, name)}
    main = {name: parts for name, parts in found.items() if not parts[0].name.lower().startswith(_BESIDE)}
    found = main or found
    if not found:
        return _folder(source, files)
    if len(found) > 1:
        raise AmbiguousFile(_named(source), _choices(found))
    return _whole(source, *found.values())


def _folder(source: HubSource, files: Sequence[HubFile]) -> tuple[HubFile, ...]:
    """The files of a model that is no GGUF file."""
    found = hub_sets.find(files, source.pattern)
    if not found:
        paths = [file.path for file in files if file.name.lower().endswith(_MODELS)]
        wanted = source.pattern or "*.gguf"
        near = get_close_matches(wanted, paths, n=_OFFERED, cutoff=0.3) or paths[:_OFFERED]
        raise FileNotInRepository(wanted, source.repository, near)
    if len(found) > 1:
        sizes = {name: sum(file.size for file in parts) for name, parts in found.items()}
        raise AmbiguousFile(_named(source), dict(sorted(sizes.items(), key=lambda choice: choice[1])))
    [chosen] = found.values()
    known = {file.path for file in files}
    for file in chosen:
        if file.name.endswith(".xml") and file.path[:-4] + ".bin" not in known:
            raise FileNotInRepository(file.path[:-4] + ".bin", source.repository, sorted(known)[:_OFFERED])
        _whole(source, [part for part in chosen if whole_name(part.path) == whole_name(file.path)])
    return chosen


def _named(source: HubSource) -> str:
    return str(HubSource(source.repository, source.revision))


def projector_beside(source: HubSource, files: Sequence[HubFile]) -> HubFile | None:
    """The file that the model of a source sees with; None where it has none, or several that are not just precisions.

    Raises what `choose` raises.
    """
    model = choose(source, files)[0]
    if _PROJECTOR in model.name.lower() or not model.name.lower().endswith(".gguf"):
        return None
    found = [file for file in files if _PROJECTOR in file.name.lower() and file.name.lower().endswith(".gguf")]
    folder = model.path.rpartition("/")[0]
    found = [file for file in found if file.path.rpartition("/")[0] == folder] or found
    if len({_QUANTISATION.sub("", file.path.lower()) for file in found}) > 1:
        return None
    return min(found, key=_precision, default=None)


def _precision(file: HubFile) -> int:
    named = (_quantisation(file.path) or "").lower()
    return _PRECISIONS.index(named) if named in _PRECISIONS else len(_PRECISIONS)


def _models(files: Iterable[HubFile]) -> dict[str, list[HubFile]]:
    """The files that belong together, by the path of the first of them."""
    models: dict[str, list[HubFile]] = {}
    for file in sorted(files, key=lambda file: file.path):
        models.setdefault((part_names(file.path) or (file.path,))[0], []).append(file)
    return models


def _is_meant(pattern: str, name: str) -> bool:
    if not pattern or pattern.lower() == (_quantisation(name) or "").lower():
        return True
    # Whoever names no folder means the file in whatever folder it is.
    names = (name, name if "/" in pattern else name.rsplit("/", 1)[-1])
    return any(fnmatchcase(path.lower(), pattern.lower()) for path in names)


def _choices(models: dict[str, list[HubFile]]) -> dict[str, int]:
    """What to write after the repository for each of the models, the smallest first."""
    names = {name: _quantisation(name) or parts[0].path for name, parts in models.items()}
    if len(set(names.values())) < len(names):
        names = {name: parts[0].path for name, parts in models.items()}
    sizes = {names[name]: sum(part.size for part in parts) for name, parts in models.items()}
    return dict(sorted(sizes.items(), key=lambda choice: choice[1]))


def _whole(source: HubSource, parts: Sequence[HubFile]) -> tuple[HubFile, ...]:
    known = {part.path for part in parts}
    missing = [path for path in part_names(parts[0].path) if path not in known]
    if missing:
        raise FileNotInRepository(missing[0], source.repository, sorted(known)[:_OFFERED])
    return tuple(parts)


def _quantisation(path: str) -> str | None:
    found = _QUANTISATION.findall(path.removesuffix(".gguf"))
    return str(found[-1]) if found else None
