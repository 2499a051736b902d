"""Reads the small files beside a model's weights: settings, vocabularies, templates. It runs and imports none of them.

config.json             the architecture, and the names of Python files that a program would run (`auto_map`)
generation_config.json  values to answer with
adapter_config.json     an adapter, and the model that it belongs to
model_index.json        a pipeline of Diffusers: its parts and their classes
tokenizer_config.json   special tokens, chat templates, the longest text
tokenizer.json          the vocabulary
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from abierto.formats import json_file, template_checks
from abierto.formats.contents import Contents, Facts, Finding, short
from abierto.formats.faults import corrupt

MAX_TOKENIZER = 64_000_000  # bytes; the largest have 35 million
MAX_ADDED = 2_000_000  # bytes of the list of added tokens
LARGEST = 10**9  # tokens; some files say 10**30 where they mean that there is no limit
_CONTEXT = (
    "max_position_embeddings",
    "n_positions",
    "n_ctx",
    "max_sequence_length",
    "seq_length",
    "max_target_positions",
)
_GENERATION = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "do_sample", "max_new_tokens")
_ADAPTER = ("peft_type", "r", "lora_alpha", "target_modules", "task_type", "use_dora")
_LIBRARIES = ("diffusers", "transformers", "onnxruntime", "optimum", "flax", "k_diffusion", "openvino")
_KEY = re.compile(rb'"(?:[^"\\]|\\.)*"\s*:')
_PIECE = re.compile(rb'\[\s*"(?:[^"\\]|\\.)*"\s*,')


def config(path: Path) -> Contents:
    """The settings of a network."""
    body = json_file.read_object(path)
    parts = (body.get("text_config"), body.get("llm_config"))
    inner: dict[str, Any] = next((part for part in parts if isinstance(part, dict)), {})
    classes = body.get("architectures")
    named = classes[0] if isinstance(classes, list) and classes else body.get("_class_name") or body.get("model_type")
    made_with = (
        "diffusers" if "_diffusers_version" in body else "transformers" if "model_type" in body or classes else ""
    )
    method = body.get("quantization_config")
    facts = Facts(
        architecture=_text(named),
        framework=made_with,
        context=next((size for key in _CONTEXT for part in (body, inner) if (size := _size(part.get(key)))), 0),
        vocabulary=_size(body.get("vocab_size")) or _size(inner.get("vocab_size")),
        quantization=_text(method.get("quant_method")) if isinstance(method, dict) else "",
        more={key: said for key in ("model_type", "torch_dtype", "dtype") if (said := _text(body.get(key)))},
    )
    return Contents("config", facts=facts, findings=_code_of(body))


def generation(path: Path) -> Contents:
    """The values that its makers answer with."""
    body = json_file.read_object(path)
    values = {key: body[key] for key in _GENERATION if isinstance(body.get(key), int | float)}
    return Contents("config", facts=Facts(generation=values))


def adapter(path: Path) -> Contents:
    """An adapter of peft."""
    body = json_file.read_object(path)
    said = {key: _plain(body[key]) for key in _ADAPTER if body.get(key) is not None}
    model = _text(body.get("base_model_name_or_path"))
    facts = Facts(framework="peft", adapter=said, lineage=(model,) if model else ())
    return Contents("config", facts=facts, findings=_code_of(body))


def pipeline(path: Path) -> Contents:
    """A pipeline of Diffusers. A part whose library is none that is known is a Python file beside it."""
    body = json_file.read_object(path)
    pairs = {key: value for key, value in body.items() if isinstance(value, list) and len(value) == 2}
    parts = {short(key): f"{_text(one)}.{_text(two)}" for key, (one, two) in pairs.items() if one and two}
    strange = [f"{name}: {kind}" for name, kind in parts.items() if kind.split(".")[0] not in _LIBRARIES]
    pipe = body.get("_class_name")
    if isinstance(pipe, list):
        strange.append(f"{_text(pipe[0])}.py" if pipe else "")
        pipe = pipe[-1] if pipe else ""
    facts = Facts(architecture=_text(pipe), framework="diffusers", components=dict(list(parts.items())[:100]))
    code = (Finding("own_code", "executes", {"names": ", ".join(strange[:10])}),) if strange else ()
    return Contents("config", facts=facts, findings=code)


def tokenizer_config(path: Path) -> Contents:
    """Special tokens, templates, and the longest text of a tokenizer."""
    body = json_file.read_object(path)
    facts = Facts(
        tokenizer=_text(body.get("tokenizer_class")),
        templates=tuple(name for name, _ in _template_texts(body.get("chat_template"), path.name)),
        special_tokens=_special(body),
    )
    said = template_checks.of_all(_template_texts(body.get("chat_template"), path.name))
    return Contents("tokenizer", facts=facts, findings=(*_code_of(body), *said))


def special_tokens(path: Path) -> Contents:
    """Special tokens by their role."""
    return Contents("tokenizer", facts=Facts(special_tokens=_special(json_file.read_object(path))))


def template_object(path: Path) -> Contents:
    """`chat_template.json`: templates inside of JSON."""
    body = json_file.read_object(path)
    texts = _template_texts(body.get("chat_template"), path.name)
    names = tuple(name for name, _ in texts)
    return Contents("template", facts=Facts(templates=names), findings=template_checks.of_all(texts))


def template(path: Path) -> Contents:
    """A file that is a template as a whole."""
    text = json_file.read_bytes(path).decode("utf-8", "replace")
    findings = template_checks.findings(text, path.name)
    return Contents("template", facts=Facts(templates=(path.name,)), findings=findings)


def tokenizer(path: Path) -> Contents:
    """The size of the vocabulary. The parts of the file are found without making anything of what they hold."""
    import msgspec

    raw, nothing = msgspec.Raw, msgspec.Raw(b"null")
    whole = msgspec.defstruct("Whole", [("model", raw, nothing), ("added_tokens", raw, nothing)])
    inner = msgspec.defstruct("Inner", [("type", str | None, None), ("vocab", raw, nothing)])
    added = msgspec.defstruct("Added", [("id", int, -1)])
    try:
        body: Any = msgspec.json.decode(json_file.read_bytes(path, MAX_TOKENIZER), type=whole)
        model: Any = msgspec.json.decode(body.model, type=inner | None) or inner()
        listed = memoryview(body.added_tokens)
        tokens: list[Any] = msgspec.json.decode(listed, type=list[added] | None) if len(listed) <= MAX_ADDED else []  # type: ignore[valid-type]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise corrupt(str(path), "no_json", where=path.name) from None
    vocabulary = memoryview(model.vocab)
    pattern = _PIECE if bytes(vocabulary[:1]) == b"[" else _KEY
    known = sum(1 for _ in pattern.finditer(vocabulary))
    last = max((_size(token.id) for token in tokens or ()), default=-1)
    kind = model.type or ""
    more = {"added_tokens": len(tokens)} if tokens else {}
    return Contents("tokenizer", facts=Facts(tokenizer=short(kind), vocabulary=max(known, last + 1), more=more))


READERS: Mapping[str, Callable[[Path], Contents]] = {
    "config.json": config,
    "generation_config.json": generation,
    "adapter_config.json": adapter,
    "model_index.json": pipeline,
    "tokenizer_config.json": tokenizer_config,
    "special_tokens_map.json": special_tokens,
    "chat_template.json": template_object,
    "tokenizer.json": tokenizer,
}


def _code_of(body: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Settings that make a program run Python files from the model's folder, or from another repository."""
    mapped = body.get("auto_map")
    classes = mapped.values() if isinstance(mapped, dict) else [mapped] if mapped else []
    names = [_text(item) for value in classes for item in (value if isinstance(value, list) else [value]) if item]
    found = [Finding("auto_map", "executes", {"names": ", ".join(names[:10])})] if names else []
    if body.get("trust_remote_code") is True:
        found.append(Finding("trust_remote_code", "executes"))
    return tuple(found)


def _template_texts(found: Any, where: str) -> list[tuple[str, str]]:
    """Templates by name: one, or several as newer versions of Transformers write them."""
    if isinstance(found, str):
        return [(where, found)]
    items = [item for item in found[:50] if isinstance(item, dict)] if isinstance(found, list) else []
    pairs = [(f"{where}: {_text(item.get('name'))}", item.get("template")) for item in items]
    return [(name, text if isinstance(text, str) else "") for name, text in pairs]


def _special(body: Mapping[str, Any]) -> dict[str, str]:
    roles = {key: value for key, value in body.items() if key.endswith("_token")}
    said = {key: value.get("content") if isinstance(value, dict) else value for key, value in roles.items()}
    return {short(key): short(value) for key, value in list(said.items())[:50] if isinstance(value, str)}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(item) for item in value[:50]]
    return value if isinstance(value, int | float) else _text(value)


def _text(value: Any) -> str:
    return short(value) if isinstance(value, str) else ""


def _size(value: Any) -> int:
    return value if type(value) is int and 0 < value <= LARGEST else 0
