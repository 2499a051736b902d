"""Which of a repository's files a person means: one model among its quantisations, whole. It asks nobody."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from abierto.errors import AmbiguousFile, FileNotInRepository
from abierto.store.sources import HubSource

_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$", re.IGNORECASE)
# As the makers of GGUF files name the precision: Q4_K_M, IQ2_XXS, UD-Q4_K_XL, TQ1_0, MXFP4_MOE, BF16.
_QUANTISATION = re.compile(r"(?i)(?<![a-z0-9])(?:(?:ud-)?i?q\d\w*|tq\d_\d|mxfp\d\w*|bf16|f16|f32)(?=$|[-.])")
# Not models: eyes for one, and what somebody measured to make quantisations.
_BESIDE = ("mmproj", "imatrix")
_OFFERED = 5
_PROJECTOR = "mmproj"
# A projector's precisions, the best first: an image is small work, and bfloat16 is slow on many processors.
_PRECISIONS = ("f16", "q8_0", "bf16", "f32")


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file in a repository. path: with forward slashes. size in bytes; sha256: None where the hub promises none."""

    path: str
    size: int
    sha256: str | None
    url: str

    @property
    def name(self) -> str:
        """Without the folders."""
        return self.path.rsplit("/", 1)[-1]


def choose(source: HubSource, files: Sequence[HubFile]) -> tuple[HubFile, ...]:
    """The file that a source means, or the parts of one in their order.

    Raises AmbiguousFile with the quantisations and their sizes, and FileNotInRepository, also for a missing part.
    """
    models = _models(files)
    exact = {name: parts for name, parts in models.items() if source.pattern in (part.path for part in parts)}
    found = exact or {name: parts for name, parts in models.items() if _is_meant(source.pattern, name)}
    main = {name: parts for name, parts in found.items() if not parts[0].name.lower().startswith(_BESIDE)}
    found = main or found
    if not found:
        paths = [file.path for file in files]
        wanted = source.pattern or "*.gguf"
        near = get_close_matches(wanted, paths, n=_OFFERED, cutoff=0.3) or paths[:_OFFERED]
        raise FileNotInRepository(wanted, source.repository, near)
    if len(found) > 1:
        raise AmbiguousFile(str(HubSource(source.repository, source.revision)), _choices(found))
    return _whole(source, *found.values())


def projector_beside(source: HubSource, files: Sequence[HubFile]) -> HubFile | None:
    """The file that the model of a source sees with; None where it has none, or several that are not just precisions.

    Raises what `choose` raises.
    """
    model = choose(source, files)[0]
    if _PROJECTOR in model.name.lower():
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


def _models(files: Sequence[HubFile]) -> dict[str, list[HubFile]]:
    """The files that belong together, by their path; that of a model in parts without the number of the part."""
    models: dict[str, list[HubFile]] = {}
    for file in sorted(files, key=lambda file: file.path):
        models.setdefault(_PART.sub(r"-of-\2.gguf", file.path), []).append(file)
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
    count = _PART.search(parts[0].path)
    if count:
        known = {part.path for part in parts}
        expected = [
            _PART.sub(f"-{number:05}-of-{count[2]}.gguf", parts[0].path) for number in range(1, int(count[2]) + 1)
        ]
        missing = [path for path in expected if path not in known]
        if missing:
            raise FileNotInRepository(missing[0], source.repository, sorted(known)[:_OFFERED])
    return tuple(parts)


def _quantisation(path: str) -> str | None:
    found = _QUANTISATION.findall(path.removesuffix(".gguf"))
    return str(found[-1]) if found else None
