"""What the files of a model's folder are evidence of, by their names and first bytes.

Links that lead out of the folder are not followed, except into the blobs of the hub's cache that a snapshot consists
of. Files are looked at, never run, and no weights are read.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from abierto.catalog.openness.card_text import shortened
from abierto.catalog.openness.evidence import Seen, Where
from abierto.errors import AbiertoError
from abierto.formats.detect import detect

DEEPEST = 4  # folders below the model's own
MOST_FILES = 20_000
_CODE = (".py", ".sh", ".ipynb")
_TABLES = (".parquet", ".jsonl", ".csv", ".tsv", ".arrow")
_MEDIA = (".png", ".jpg", ".jpeg", ".webp", ".wav", ".mp3", ".ogg", ".flac", ".mp4", ".txt")

_BIN = re.compile(r"(pytorch_model|adapter_model|model|openvino\w*_model|diffusion_pytorch_model)[\w.-]*\.bin")
# What scikit-learn and others keep as pickles beside dictionaries, scalers and data sets, which are not the model.
_LEARNT = re.compile(r"([\w.-]*[_.-])?(model|pipeline|classifier|regressor|estimator|weights)([_.-][\w.-]*)?\.\w+")
_PACKED = ("gzip", "bzip2", "xz", "unknown")  # the last one: zlib, which has no mark
# Ending -> what `detect` says of a file that really is of that kind; none where the kind has no signature.
_WEIGHTS: Mapping[str, tuple[str, ...]] = {
    ".safetensors": ("safetensors",),
    ".gguf": ("gguf",),
    ".onnx": ("onnx",),
    ".tflite": ("tflite",),
    ".pt": ("zip", "pickle"),
    ".pth": ("zip", "pickle"),
    ".ckpt": ("zip", "pickle"),
    ".h5": ("hdf5",),
    ".keras": ("zip",),
    ".npz": ("zip",),
    ".msgpack": ("unknown",),
    ".bin": ("zip", "pickle", "unknown"),
    ".pkl": ("pickle", *_PACKED),
    ".pickle": ("pickle", *_PACKED),
    ".joblib": ("pickle", *_PACKED),
}
# Endings of files that often are something else, and the names of those that are a model.
_NAMED: Mapping[str, re.Pattern[str]] = {".bin": _BIN, ".pkl": _LEARNT, ".pickle": _LEARNT, ".joblib": _LEARNT}
_CHECKPOINT = re.compile(r"(checkpoint|step|global_step|ckpt)[-_]?\d+")
# component -> names of files, without capitals; the ending is part of it
_NAMES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (key, re.compile(pattern))
    for key, pattern in (
        ("architecture", r"(modeling_\w+|model)\.py"),
        ("inference_code", r"(inference|infer|generate|predict|handler|run_model|pipeline)(_\w+)?\.(py|sh|ipynb)"),
        ("training_code", r"(pre)?(train|fine_?tune|sft|dpo)(ing)?(_\w+)?\.(py|sh|ipynb)"),
        ("evaluation_code", r"(eval|evaluate|evaluation|benchmark)(_\w+)?\.(py|sh|ipynb)"),
        (
            "preprocessing_code",
            r"(preprocess|prepare|clean|filter|dedup(licate)?)(_(data|dataset|corpus)\w*)?\.(py|sh|ipynb)",
        ),
        ("libraries", r"(requirements[\w-]*\.txt|environment\.ya?ml|pyproject\.toml|setup\.py)"),
        (
            "metadata",
            r"(config|adapter_config|model_index|trainer_state|training_args)\.json|[\w.-]+\.onnx\.json|hparams\.ya?ml",
        ),
        ("data_card", r"(data_?card|dataset_card|datasheet)\.(md|txt|pdf)"),
        ("technical_report", r"[\w.-]*tech(nical)?[_-]?report[\w.-]*\.pdf"),
        ("paper", r"([\w.-]*[_-])?paper\.pdf"),
        ("evaluation_results", r"(eval|all|test)_results\.json"),
    )
)
_SPDX_LINE = re.compile(rb"SPDX-License-Identifier:\s*([\w.+-]+(?: (?:AND|OR|WITH) [\w.+-]+)*)")
_LICENSE_FILE = re.compile(r"(licen[cs]e|copying)([-_.]\w+)*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a folder, by path relative to it, in order. refused: links that lead elsewhere. full: there are no
    more than could be listed."""

    root: Path
    files: tuple[Path, ...]
    refused: tuple[str, ...]
    full: bool

    def named(self, name: str) -> Path | None:
        """The file of this name in the folder itself, in any capitals."""
        return next((file for file in self.files if file.as_posix().lower() == name.lower()), None)

    def license_files(self) -> list[Path]:
        """Files that are called like licences."""
        return [file for file in self.files if _LICENSE_FILE.fullmatch(file.name) and file.suffix not in _CODE]


def listing(root: Path) -> Listing:
    """What lies in a folder, at most DEEPEST below it and MOST_FILES together."""
    files: list[Path] = []
    refused: list[str] = []
    allowed = _allowed(root)
    for place, folders, names in os.walk(root):
        here = Path(place)
        depth = len(here.relative_to(root).parts)
        folders[:] = sorted(name for name in folders if depth < DEEPEST and not name.startswith("."))
        for name in sorted(names):
            path = here / name
            if path.is_symlink() and not any(path.resolve().is_relative_to(one) for one in allowed):
                refused.append(path.relative_to(root).as_posix())
            elif path.is_file():
                files.append(path.relative_to(root))
            if len(files) >= MOST_FILES:
                return Listing(root, tuple(files), tuple(refused), full=False)
    return Listing(root, tuple(files), tuple(refused), full=True)


def _allowed(root: Path) -> tuple[Path, ...]:
    """Where links of this folder may lead: into itself; those of a snapshot in the hub's cache, to that one's blobs."""
    whole = root.resolve()
    return (whole, whole.parent.parent / "blobs") if whole.parent.name == "snapshots" else (whole,)


def seen(here: Listing) -> Iterator[Seen]:
    """All that the files are evidence of. Weights carry no licence here: what is stated for them is elsewhere."""
    for file in here.files:
        path = here.root / file
        format_ = weights_format(path)
        if format_:
            key = "checkpoints" if any(_CHECKPOINT.fullmatch(part.lower()) for part in file.parts[:-1]) else "weights"
            yield Seen(key, Where(file.as_posix(), quote=format_), "file_of_weights", file=True)
            continue
        name = file.name.lower()
        for key, pattern in _NAMES:
            if pattern.fullmatch(name) and holds_something(path):
                license_ = own_license(path) if name.endswith(_CODE) else None
                yield Seen(key, Where(file.as_posix()), "file_by_name", license=license_, file=True)
                break
        else:
            yield from _by_folder(file)


def weights_format(path: Path) -> str:
    """The format of a file of weights, or nothing: for other files, and for what only has the name of one."""
    ending = path.suffix.lower()
    kinds = _WEIGHTS.get(ending, ())
    if not kinds or (ending in _NAMED and not _NAMED[ending].fullmatch(path.name.lower())):
        return ""
    try:
        found = detect(path)
    except AbiertoError:
        return ""
    return (ending[1:] if found in _PACKED else found) if found in kinds else ""


def own_license(path: Path) -> str | None:
    """The licence that a file of program text states for itself, in an SPDX line of its first lines."""
    found = _SPDX_LINE.search(_start(path))
    return shortened(found[1].decode("ascii")) if found else None


def _by_folder(file: Path) -> Iterator[Seen]:
    folders = {part.lower() for part in file.parts[:-1]}
    name, where = file.name.lower(), Where(file.as_posix())
    if name.endswith(_TABLES) and re.match(r"(test|eval|validation)", name):
        yield Seen("evaluation_data", where, "file_of_data", file=True)
    elif name.endswith(_TABLES) and (name.startswith("train") or folders & {"data", "dataset", "datasets"}):
        yield Seen("datasets", where, "file_of_data", file=True)
    elif name.endswith(_MEDIA) and folders & {"samples", "examples", "outputs"}:
        yield Seen("sample_outputs", where, "file_of_samples", file=True)


def holds_something(path: Path) -> bool:
    """Whether a file is more than an empty one, or a pointer to where its content is stored."""
    start = _start(path)
    return bool(start.strip()) and not start.startswith(b"version https://git-lfs")


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4096)
    except OSError:
        return b""
