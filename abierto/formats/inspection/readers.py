"""Which reader reads which file. What a file is, is decided by its first bytes; what it should be, by its name."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from abierto.errors import AbiertoError
from abierto.formats import (
    archive,
    ctranslate2_file,
    flax_file,
    gguf,
    keras_file,
    keras_h5,
    model_card,
    model_texts,
    numpy_arrays,
    onnx_file,
    openvino_xml,
    safetensors,
    saved_model,
    template_checks,
    torch_file,
)
from abierto.formats.contents import Contents, Facts, Finding, Tensor, short
from abierto.formats.detect import detect
from abierto.formats.inspection.folder import Entry, inside

MAX_HEADER = 10_000_000  # bytes of a safetensors header; what becomes of it in memory is thirty times as much
MAX_NAMED = 64  # models that a file names as those it was made of

# What a file must be by the end of its name, where that leaves no choice.
_NAMED = {".safetensors": "safetensors", ".gguf": "gguf"}
# Names of pickles, of which the oldest kind looks like a text, and of such that joblib packed without a mark.
_PICKLES = (".pkl", ".pickle", ".joblib", ".sav", ".pt", ".pth", ".ckpt", ".bin")
_PACKED = (".pkl", ".pickle", ".joblib", ".sav", ".z", ".lzma")
# What does no harm and says nothing of the model.
_PLAIN = ("text", "json", "image", "pdf", "html", "empty", "media", "xml")


def read(entry: Entry) -> Contents:
    """What is in a file. A fault is a finding; nothing is raised."""
    try:
        return _read(entry)
    except AbiertoError as error:
        return Contents(_kind(entry.path), findings=(fault(error),))


def fault(error: AbiertoError) -> Finding:
    """An error as a finding. What it says of the place on this disk is left to whoever words it."""
    return Finding("unreadable", "fault", {"error": error.code, "facts": error.facts})


def _kind(path: Path) -> str:
    try:
        return detect(path)
    except AbiertoError:
        return "unknown"


def _read(entry: Entry) -> Contents:
    name = entry.path.name if entry.path.name == Path(entry.name).name else Path(entry.name).name
    found = detect(entry.path)
    if found == "git_lfs_pointer":
        return Contents(found, findings=(Finding("lfs_pointer", "fault"),))
    expected = _NAMED.get(Path(name).suffix.lower())
    if expected and expected != found:
        return Contents(found, findings=(Finding("name_lies", "fault", {"expected": expected, "found": found}),))
    if name.lower().endswith((".h5", ".hdf5")) and keras_h5.begins_later(entry.path):
        found = "hdf5"
    if found in ("unknown", "text", "json", "onnx", "zeros"):
        found = _by_name(entry.path, name.lower()) or found
    if found in ("text", "json", "empty"):
        return _text(entry.path, name)
    if found == "weights":
        return Contents(found)  # a file beside it tells what is where
    reader = _READERS.get(found)
    if reader:
        return reader(entry.path)
    return Contents(found, findings=() if found in _PLAIN else (Finding("not_read", "note", {"found": found}),))


def _by_name(path: Path, low: str) -> str:
    """What a file is that has no mark of its own, or one that is not known."""
    if low.endswith(".onnx"):
        return "onnx"
    if low in ("saved_model.pb", "variables.index"):
        return "saved_model" if low.endswith(".pb") else "tensorflow" if saved_model.is_index(path) else ""
    if low.startswith("variables.data-") and path.with_name("variables.index").is_file():
        return "weights"
    if low.endswith(".msgpack"):
        return "flax"
    if low.endswith(".bin"):
        if path.with_suffix(".xml").is_file():
            return "weights"
        with path.open("rb") as file:
            if ctranslate2_file.looks_like(file.read(100)):
                return "ctranslate2"
    if low.endswith(_PICKLES) and torch_file.is_pickle(path):
        return "pickle"
    if low.endswith(_PACKED):
        return "packed"
    return ""


def _text(path: Path, name: str) -> Contents:
    low = name.lower()
    if low in model_texts.READERS:
        return model_texts.READERS[low](path)
    if low == "readme.md":
        return model_card.read(path)
    if low.endswith(".jinja"):
        return model_texts.template(path)
    if low.endswith((".py", ".pyc", ".sh", ".ipynb")):
        return Contents("code", findings=(Finding("code_file", "executes"),))
    return Contents("text")


def _of_safetensors(path: Path) -> Contents:
    tensors, said = safetensors.read(path, MAX_HEADER)
    more = {short(key): short(value) for key, value in list(said.items())[:50] if len(value) <= 200}
    base = said.get("ss_sd_model_name") or said.get("ss_base_model_version") or ""
    facts = Facts(
        architecture=short(said.get("modelspec.architecture", "")),
        license=short(said.get("modelspec.license", "")),
        lineage=(short(base),) if base else (),
        more=more,
    )
    return Contents(
        "safetensors", [Tensor(short(one.name), one.shape, one.dtype, one.size) for one in tensors.values()], facts
    )


def _of_gguf(path: Path) -> Contents:
    header = gguf.read_header(path)
    keys = [key for key in header.metadata if key.startswith("tokenizer.chat_template")]
    adapter = {"peft_type": header.text("adapter.type") or "lora"} if header.kind == "adapter" else {}
    more: dict[str, object] = {"version": header.version, "general.type": header.kind}
    more |= {"block_count": header.block_count} if header.block_count else {}
    more |= {"split_number": header.split_number, "split_count": header.split_count} if header.split_count > 1 else {}
    facts = Facts(
        architecture=short(header.architecture),
        framework="ggml",
        license=short(header.license or ""),
        quantization=header.quantization,
        tokenizer=short(header.tokenizer or ""),
        context=max(0, header.context_length or 0),
        vocabulary=header.vocab_size or 0,
        lineage=_sources(header, "base_model"),
        datasets=_sources(header, "dataset"),
        templates=tuple(short(key) for key in keys if isinstance(header.metadata[key], str)),
        adapter=adapter,
        more=more,
    )
    return Contents(
        "gguf",
        [Tensor(short(one.name), tuple(reversed(one.shape)), one.dtype, one.size) for one in header.tensors],
        facts,
        template_checks.of_all([(key, said) for key in keys if isinstance(said := header.metadata[key], str)]),
    )


def _sources(header: gguf.GGUFHeader, kind: str) -> tuple[str, ...]:
    """The models or data that the file says it was made of: where they are, else what they are called."""
    count = min(header.number(f"general.{kind}.count") or 0, MAX_NAMED)
    found = []
    for number in range(count):
        said = (header.text(f"general.{kind}.{number}.{key}") for key in ("repo_url", "url", "doi", "name"))
        found.append(next((short(text) for text in said if text), ""))
    listed = header.metadata.get("general.datasets") if kind == "dataset" else None
    names = listed if isinstance(listed, tuple) else ()
    return tuple(filter(None, (*found, *(short(str(name)) for name in names))))


def _of_zip(path: Path) -> Contents:
    with archive.open_archive(path) as opened:
        if torch_file.is_archive(opened.namelist()):
            return torch_file.of_archive(path, opened)
        if keras_file.is_archive(opened.namelist()):
            return keras_file.of_archive(path, opened)
        if numpy_arrays.is_archive(opened.namelist()):
            return numpy_arrays.of_archive(path, opened)
        findings = (Finding("not_read", "note", {"found": "zip"}), *archive.findings(opened))
        return Contents("zip", findings=findings)


def _of_onnx(path: Path) -> Contents:
    return onnx_file.read(path, lambda name: inside(path.parent, name))


_READERS: Mapping[str, Callable[[Path], Contents]] = {
    "safetensors": _of_safetensors,
    "gguf": _of_gguf,
    "zip": _of_zip,
    "onnx": _of_onnx,
    "openvino": openvino_xml.read,
    "ctranslate2": ctranslate2_file.read,
    "flax": flax_file.read,
    "saved_model": saved_model.graph,
    "tensorflow": saved_model.index,
    "hdf5": keras_h5.read,
    "pickle": torch_file.of_pickle,
    "numpy": numpy_arrays.read,
    "packed": partial(torch_file.of_packed, found="unknown"),
    **{kind: partial(torch_file.of_packed, found=kind) for kind in ("gzip", "bzip2", "xz")},
}
