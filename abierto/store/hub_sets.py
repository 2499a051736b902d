"""Which files of a repository are one model, where a model is not one GGUF file but a folder of files.

    OpenVINO        openvino_model.xml and .bin, or openvino_language_model.xml and the other parts of a model that sees
    Diffusers       model_index.json, and a folder for each part of the pipeline
    safetensors     one file, or the parts of one; of several precisions the plain one
    ONNX            one network, with the weights that lie beside it

With each come the small files that describe it. Nothing else does: a pickle (.bin, .pt, .pth, .ckpt) can run code when
it is opened, and a Python file is code. It asks nobody and reads no file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from abierto.formats.split import whole_name

OPENVINO = ("openvino_model.xml", "openvino_language_model.xml")
WEIGHTS = (".safetensors", ".onnx", ".xml")
_DIFFUSERS = "model_index.json"
_MODULES = "modules.json"  # of sentence-transformers, which describes each part of a model in a folder of its own
_TEXTS = (".json", ".txt", ".jinja", ".model", ".tiktoken", ".spm", ".vocab", ".yaml")
_LEGAL = ("LICENSE", "NOTICE")
_NETWORK_BESIDE = ("_data", ".data", ".json")


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

    @property
    def folder(self) -> str:
        """The folders alone, empty at the top."""
        return self.path.rpartition("/")[0]


Sets = dict[str, tuple[HubFile, ...]]


def find(files: Sequence[HubFile], pattern: str) -> Sets:
    """The models that are meant, by what may be typed for each; the weights come first.

    pattern: a folder, a file, or what a shell would take for some of them; empty for the model at the top, or else for
    any that there is.
    """
    if not pattern:
        return _in_folder(files, "") or _merged(_in_folder(files, folder) for folder in _folders(files))
    meant = [folder for folder in _folders(files) if folder and fnmatchcase(folder.lower(), pattern.lower())]
    return _merged(_in_folder(files, folder) for folder in meant) or _by_file(files, pattern)


def _merged(found: Iterable[Sets]) -> Sets:
    return {name: chosen for sets in found for name, chosen in sets.items()}


def _folders(files: Sequence[HubFile]) -> list[str]:
    return sorted({file.folder for file in files})


def _in_folder(files: Sequence[HubFile], folder: str) -> Sets:
    """What is in this folder; those below it only where they are parts of a pipeline."""
    here = [file for file in files if file.folder == folder]
    names = {file.name for file in here}
    if any(name in names for name in OPENVINO):
        return {folder: _networks(here)}
    if _DIFFUSERS in names:
        return _pipeline(files, folder)
    if weights := _plain([file for file in here if file.name.endswith(".safetensors")]):
        texts = _texts(files, folder)
        if _MODULES in names:
            texts += [text for below in _folders(files) if _parent(below) == folder for text in _texts(files, below)]
        if any(text.path == _join(folder, "config.json") for text in texts):
            return {folder: (*weights, *texts)}
        return {name: (*parts, *texts) for name, parts in _by_stem(weights).items()}
    return {file.path: _network(file, files) for file in here if file.name.endswith(".onnx")}


def _by_file(files: Sequence[HubFile], pattern: str) -> Sets:
    """The weights whose path or name the pattern takes, as one model."""
    taken = [file for file in files if file.name.endswith(WEIGHTS) and _is_taken(file, pattern)]
    if not taken:
        return {}
    if all(file.name.endswith(".onnx") for file in taken):
        return {pattern: tuple(dict.fromkeys(part for file in taken for part in _network(file, files)))}
    if any(file.name.endswith(".xml") for file in taken):
        return _in_folder(files, taken[0].folder) if any(file.name in OPENVINO for file in taken) else {}
    folders = {file.folder for file in taken}
    if any(file.path == _DIFFUSERS for file in files):
        folders = {file.folder for file in files if file.folder.count("/") == 0}
    return {pattern: (*taken, *(file for file in files if file.folder in folders and _is_text(file)))}


def _is_taken(file: HubFile, pattern: str) -> bool:
    path = file.path if "/" in pattern else file.name
    return path == pattern or fnmatchcase(path.lower(), pattern.lower())


def _networks(here: Sequence[HubFile]) -> tuple[HubFile, ...]:
    """The networks of a folder, each with its weights, the one that stands for the model first."""
    stems = {file.name.removesuffix(".xml") for file in here if file.name.endswith(".xml")}
    parts = [file for file in here if file.name.rpartition(".")[0] in stems and file.name.endswith((".xml", ".bin"))]
    parts.sort(key=lambda file: (file.name not in OPENVINO, file.path))
    return (*parts, *(file for file in here if _is_text(file)))


def _pipeline(files: Sequence[HubFile], folder: str) -> Sets:
    """The parts of a pipeline lie in folders of their own; what lies beside them is the same once more, in one file."""
    below = [file for file in files if _parent(file.folder) == folder]
    weights = _plain([file for file in below if file.name.endswith(".safetensors")])
    if not weights:
        weights = [file for file in below if file.name in (*OPENVINO, *(name[:-4] + ".bin" for name in OPENVINO))]
    texts = [*_texts(files, folder), *(file for file in below if _is_text(file))]
    return {folder: (*weights, *texts)} if weights else {}


def _network(file: HubFile, files: Sequence[HubFile]) -> tuple[HubFile, ...]:
    beside = {file.path + end for end in _NETWORK_BESIDE}
    named = [other for other in files if other.path in beside]
    # Other networks have descriptions of their own.
    texts = [text for text in files if _is_text(text) and not text.name.endswith(".onnx.json")]
    here = [text for text in texts if text.folder == file.folder] or [text for text in texts if not text.folder]
    return tuple(dict.fromkeys((file, *named, *here)))


def _texts(files: Sequence[HubFile], folder: str) -> list[HubFile]:
    return [file for file in files if file.folder == folder and _is_text(file)]


def _is_text(file: HubFile) -> bool:
    return file.name.endswith(_TEXTS) or file.name.upper().startswith(_LEGAL)


def _plain(weights: Sequence[HubFile]) -> list[HubFile]:
    """Without those that are there a second time in another precision, or under the name of another library."""
    plain = {_stem(file) for file in weights}
    kept = [file for file in weights if "." not in _last(file) or _stem(file).rpartition(".")[0] not in plain]
    others = [file for file in kept if not file.name.startswith("consolidated")]
    return others or kept


def _by_stem(weights: Sequence[HubFile]) -> dict[str, list[HubFile]]:
    """Parts that belong together, by the path of the first."""
    found: dict[str, list[HubFile]] = {}
    for file in weights:
        found.setdefault(_stem(file), []).append(file)
    if len(found) == 1:
        return {weights[0].folder: list(weights)}
    return {parts[0].path if len(parts) == 1 else f"{stem}-*": parts for stem, parts in found.items()}


def _stem(file: HubFile) -> str:
    """The path without the number of the part, and without the ending."""
    return whole_name(file.path).removesuffix(".safetensors")


def _last(file: HubFile) -> str:
    return _stem(file).rpartition("/")[2]


def _parent(folder: str) -> str | None:
    return folder.rpartition("/")[0] if folder else None


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
