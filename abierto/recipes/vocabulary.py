"""The vocabulary of a published model as GGUF has it: from tokenizer.json or from tokenizer.model (SentencePiece).

Which rule cuts a text before its bytes are paired is told by the rule itself, compared with those that the engine
knows; an unknown one is refused, because a model that reads wrongly cut words still answers, only worse. It runs
nothing.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from abierto.errors import NotConvertible
from abierto.recipes import sentencepiece
from abierto.recipes.checkpoint import read_json
from abierto.recipes.gguf_writer import boolean, f32s, i32s, string, strings, u32

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6  # enum llama_token_type
MAX_TEMPLATE = 1 << 20  # bytes

_CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_WORDS = r"|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# The pre-tokenizer of tokenizer.json, and whether a word that is a token is taken as one (ignore_merges) -> the
# engine's name for the same rule (llama-vocab.cpp).
_RULES: Mapping[tuple[tuple[str, ...], bool], str] = {
    (("bytes with words",), False): "gpt-2",
    (("single digits", "bytes with words"), False): "smollm",
    ((_CONTRACTIONS + _WORDS % r"\p{N}{1,3}", "bytes"), True): "llama-bpe",
    ((_CONTRACTIONS + _WORDS % r"\p{N}{1,3}", "bytes"), False): "smaug-bpe",
    ((_CONTRACTIONS + _WORDS % r"\p{N}", "bytes"), False): "qwen2",
}
_KINDS_OF_ROLE = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}


def vocabulary(folder: Path, size: int, config: Mapping[str, Any]) -> dict[str, bytes]:
    """The keys of GGUF that hold the vocabulary. size: tokens in the embedding. Raises NotConvertible, CorruptFile."""
    settings = read_json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    if (folder / "tokenizer.model").is_file():
        pairs, numbers = _from_sentencepiece(folder, size, settings)
    elif (folder / "tokenizer.json").is_file():
        pairs, numbers = _from_json(folder, size, settings)
    else:
        raise NotConvertible(str(folder), "no_tokenizer")
    pairs |= _roles(numbers, settings, config, size)
    template = _template(folder, settings)
    if template:
        pairs["tokenizer.chat_template"] = string(template)
    return pairs


def _from_sentencepiece(
    folder: Path, size: int, settings: Mapping[str, Any]
) -> tuple[dict[str, bytes], dict[str, int]]:
    found = sentencepiece.read(folder / "tokenizer.model")
    if len(found.pieces) > size:
        raise NotConvertible(str(folder), "too_many_tokens", {"tokens": len(found.pieces), "size": size})
    texts = [piece.text for piece in found.pieces]
    scores = [piece.score for piece in found.pieces]
    types = [piece.type for piece in found.pieces]
    for number in range(len(texts), size):
        texts.append(f"[PAD{number}]")
        scores.append(-10000.0)
        types.append(UNUSED)
    for number, added in _added_in_settings(settings).items():
        if 0 <= number < size:
            texts[number], types[number] = added["content"], CONTROL if added.get("special") else USER_DEFINED
    pairs = {
        "tokenizer.ggml.model": string("llama"),
        "tokenizer.ggml.pre": string("default"),
        "tokenizer.ggml.tokens": strings(texts),
        "tokenizer.ggml.scores": f32s(scores),
        "tokenizer.ggml.token_type": i32s(types),
        "tokenizer.ggml.add_space_prefix": boolean(found.space_prefix),
    }
    if isinstance(settings.get("add_bos_token"), bool):
        pairs["tokenizer.ggml.add_bos_token"] = boolean(settings["add_bos_token"])
    return pairs, {text: number for number, text in enumerate(texts)}


def _added_in_settings(settings: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    listed = settings.get("added_tokens_decoder")
    if not isinstance(listed, Mapping):
        return {}
    sound = {number: facts for number, facts in listed.items() if str(number).isdecimal() and len(str(number)) < 10}
    return {int(number): facts for number, facts in sound.items() if _is_token(facts)}


def _is_token(facts: object) -> bool:
    return isinstance(facts, Mapping) and isinstance(facts.get("content"), str)


def _from_json(folder: Path, size: int, settings: Mapping[str, Any]) -> tuple[dict[str, bytes], dict[str, int]]:
    path = folder / "tokenizer.json"
    body = read_json(path)
    model = body.get("model")
    if (
        not isinstance(model, Mapping)
        or model.get("type", "BPE") != "BPE"
        or not isinstance(model.get("vocab"), Mapping)
    ):
        raise NotConvertible(
            str(path), "tokenizer", {"found": str(model.get("type") if isinstance(model, dict) else "")}
        )
    numbers = {text: number for text, number in model["vocab"].items() if type(number) is int}
    listed = body.get("added_tokens")
    added = [one for one in listed if _is_token(one)] if isinstance(listed, list) else []
    texts, types = _placed(path, numbers, added, size)
    first = _first_special(body)
    adds = settings.get("add_bos_token")
    pairs = {
        "tokenizer.ggml.model": string("gpt2"),
        "tokenizer.ggml.pre": string(_rule(path, body)),
        "tokenizer.ggml.tokens": strings(texts),
        "tokenizer.ggml.token_type": i32s(types),
        "tokenizer.ggml.merges": strings(_merges(path, model.get("merges"))),
        "tokenizer.ggml.add_bos_token": boolean(
            adds if isinstance(adds, bool) else bool(first) and first == _content(settings.get("bos_token"))
        ),
    }
    return pairs, numbers | {one["content"]: one["id"] for one in added if type(one.get("id")) is int}


def _placed(
    path: Path, numbers: Mapping[str, int], added: list[Mapping[str, Any]], size: int
) -> tuple[list[str], list[int]]:
    """The text and the type of each token, in order; numbers that no token has are marked unused."""
    texts, types = [f"[PAD{number}]" for number in range(size)], [UNUSED] * size
    special = {one["content"]: bool(one.get("special")) for one in added}
    everything = [*numbers.items(), *((one["content"], one.get("id")) for one in added)]
    for text, number in everything:
        if type(number) is not int or not 0 <= number < size:
            raise NotConvertible(str(path), "too_many_tokens", {"tokens": number, "size": size})
        texts[number] = text
        types[number] = NORMAL if text not in special else CONTROL if special[text] else USER_DEFINED
    return texts, types


def _merges(path: Path, listed: object) -> list[str]:
    made = []
    for pair in listed if isinstance(listed, list) else ():
        parts = pair.split(" ") if isinstance(pair, str) else pair
        if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(part, str) for part in parts):
            raise NotConvertible(str(path), "tokenizer", {"found": "merges"})
        made.append(" ".join(part.replace(" ", "Ġ") for part in parts))
    return made


def _rule(path: Path, body: Mapping[str, Any]) -> str:
    """The engine's name for the way in which this tokenizer cuts a text."""
    steps = body.get("pre_tokenizer")
    steps = steps.get("pretokenizers") if isinstance(steps, Mapping) and steps.get("type") == "Sequence" else [steps]
    told = tuple(_step(step) for step in steps) if isinstance(steps, list) else ()
    whole = body["model"].get("ignore_merges") is True
    normalizer = body.get("normalizer")
    plain = normalizer is None or (isinstance(normalizer, Mapping) and normalizer.get("type") == "NFC")
    if (told, whole) not in _RULES or not plain or body["model"].get("byte_fallback"):
        found = " + ".join(told) if plain else json.dumps(normalizer)
        raise NotConvertible(str(path), "tokenizer", {"found": found[:200]})
    return _RULES[told, whole]


def _step(step: object) -> str:
    """One step of a pre-tokenizer in a word, or the pattern by which it cuts."""
    match step:
        case {"type": "ByteLevel", "add_prefix_space": False, **rest}:
            return "bytes" if rest.get("use_regex") is False else "bytes with words"
        case {"type": "Digits", "individual_digits": True}:
            return "single digits"
        case {"type": "Split", "pattern": {"Regex": str(pattern)}, "behavior": "Isolated", **rest}:
            return f"not {pattern}" if rest.get("invert") else pattern
        case {"type": str(name)}:
            return name
        case _:
            return "?"


def _first_special(body: Mapping[str, Any]) -> str:
    """The token that the post-processor puts before every text."""
    processor = body.get("post_processor")
    if not isinstance(processor, Mapping):
        return ""
    for step in processor.get("processors", [processor]):
        match step:
            case {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": str(name)}}, *_]}:
                return name
    return ""


def _content(token: object) -> str:
    found = token.get("content") if isinstance(token, Mapping) else token
    return found if isinstance(found, str) else ""


def _roles(
    numbers: Mapping[str, int], settings: Mapping[str, Any], config: Mapping[str, Any], size: int
) -> dict[str, bytes]:
    """The tokens that begin, end, fill: by name in the tokenizer's settings, else by number in config.json."""
    pairs = {}
    for role, name in _KINDS_OF_ROLE.items():
        given = config.get(f"{role}_token_id")
        given = given[0] if isinstance(given, list) and given else given
        number = numbers.get(_content(settings.get(f"{role}_token")), given)
        if type(number) is int and 0 <= number < size:
            pairs[f"tokenizer.ggml.{name}_token_id"] = u32(number)
    return pairs


def _template(folder: Path, settings: Mapping[str, Any]) -> str:
    path = folder / "chat_template.jinja"
    found = settings.get("chat_template")
    if isinstance(found, list):
        found = next((one.get("template") for one in found if _named_default(one)), None)
    if not isinstance(found, str) and path.is_file() and path.stat().st_size <= MAX_TEMPLATE:
        found = path.read_text("utf-8", errors="replace")
    return found if isinstance(found, str) else ""


def _named_default(one: object) -> bool:
    return isinstance(one, Mapping) and one.get("name") == "default"
