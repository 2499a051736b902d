# SPDX-License-Identifier: Apache-2.0
"""The vocabulary: byte-level pairs as CLIP has them, learned from all captions that training can say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from abierto.recipes.trazo import captions, colors
from abierto.recipes.trazo.pictures import DataSet
from abierto.recipes.trazo.settings import LANGUAGES, Settings

START, END = "<|startoftext|>", "<|endoftext|>"
FILES = ("vocab.json", "merges.txt")


def learn(settings: Settings, data: DataSet, folder: Path) -> None:
    """Write vocab.json and merges.txt, in the order and the form of CLIP's own."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=END, end_of_word_suffix="</w>", continuing_subword_prefix=""))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    pattern = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(pattern, "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    # Every byte is a piece by itself and at the end of a word, so that no text is without tokens.
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=settings.words.vocabulary - 2 - len(alphabet),
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(data, settings), trainer)
    model: dict[str, Any] = json.loads(tokenizer.to_str())["model"]
    pieces = [piece for piece, _ in sorted(model["vocab"].items(), key=lambda one: one[1])]
    order = dict.fromkeys([*alphabet, *(f"{letter}</w>" for letter in alphabet), *pieces, START, END])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({piece: at for at, piece in enumerate(order)}), "utf-8")
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n", "utf-8")


def load(folder: Path, tokens: int) -> Any:
    """The tokenizer, as transformers has it."""
    from transformers import CLIPTokenizer

    vocabulary, merges = (str(folder / name) for name in FILES)
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=tokens, pad_token=END, unk_token=END)


def encode(tokenizer: Any, said: list[str]) -> Any:
    """Token numbers of captions, [caption, tokens], filled up with the end sign. A tensor."""
    return tokenizer(said, padding="max_length", truncation=True, return_tensors="pt").input_ids


def _texts(data: DataSet, settings: Settings) -> Iterator[str]:
    for concept in data.concepts.values():
        for language in LANGUAGES:
            yield from [concept.labels[language]] * 4
            yield from concept.keywords[language]
            yield concept.groups[language]
            yield captions.without_accents(concept.labels[language])
    for language in LANGUAGES:
        for source in settings.sources:
            yield from source.styles.get(language, ()) * 50
        for name in colors.NAMES:
            yield from [captions.in_colors((name, name), language), captions.on_ground(name, language)] * 50
