"""Models to report on, as folders that their makers could have published."""

import json
import struct
from pathlib import Path

import pytest

README = """---
license: apache-2.0
base_model: acme/big
pipeline_tag: text-generation
datasets: [acme/corpus]
---
# Small
It reads and writes English. It was made by Acme on one computer in the course of a year, and whoever wants may use it
for what they like, or train it further with data of their own, at home or at work.

## Limitations
It knows nothing of what came after 1900, it is wrong about numbers, and it repeats what its books held of the
prejudices of their time. Nobody should rely on what it says about people, medicines, machines or the law
without asking elsewhere.

## Training data
The training data were books and letters from before 1900, chosen by hand, cleaned with a program that drops everything
that is not prose, and split into documents of at most ten thousand words each. They are at
[the dataset](https://huggingface.co/datasets/acme/corpus).

## Training
The [training code](https://github.com/acme/small) is in the repository.

## Evaluation results
| benchmark | score |
|---|---|
| a | 10.1 |
| b | 20.2 |
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The folder of a model with a card, weights and the settings of its network."""
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "README.md").write_text(README, encoding="utf-8")
    (folder / "config.json").write_text('{"model_type": "llama", "hidden_size": 8}', encoding="utf-8")
    header = json.dumps(
        {"model.embed_tokens.weight": {"dtype": "F32", "shape": [4, 8], "data_offsets": [0, 128]}}
    ).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(128))
    return folder
