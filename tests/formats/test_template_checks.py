"""Chat templates that reach outside, and adapters that say nothing of themselves."""

from pathlib import Path

import pytest

from abierto.formats.inspection import inspect
from tests.formats.test_inspection import codes, put
from tests.recipes.published import packed
from tests.tiny_gguf import TinyGGUF

PLAIN = "{% for m in messages %}{{ m['role'] }}{{ m.content | trim }}{% endfor %}{{ raise_exception('no') }}"
EVIL = [
    "{{ ''.__class__.__mro__[1] }}",
    "{{ x|attr('a') }}",
    "{% include '/etc/passwd' %}",
    "{{ lipsum['__globals__'] }}",
    "{{ x['\\x5f\\x5fclass'] }}",
]


@pytest.mark.parametrize("text", EVIL)
def test_a_template_that_reaches_outside_is_flagged(tmp_path: Path, text: str) -> None:
    put(
        tmp_path,
        tokenizer_config__json={"chat_template": [{"name": "default", "template": PLAIN + text}]},
        chat_template__json={"chat_template": text},
        chat_template__jinja=text,
    )
    TinyGGUF(metadata={"tokenizer.chat_template.tools": text}).write(tmp_path / "m.gguf")
    names = ("tokenizer_config.json", "chat_template.json", "chat_template.jinja", "m.gguf")
    assert codes(inspect(tmp_path), "executes") == {(name, "template_reaches_out") for name in names}


def test_an_honest_template_is_not_flagged(tmp_path: Path) -> None:
    put(tmp_path, tokenizer_config__json={"chat_template": PLAIN}, chat_template__jinja=PLAIN)
    assert not codes(inspect(tmp_path))


@pytest.mark.parametrize(
    ("down", "up", "layout"),
    [
        ("lora_unet_mid_to_q.lora_down.weight", "lora_unet_mid_to_q.lora_up.weight", "kohya"),
        ("model.layers.0.q.lora_A.weight", "model.layers.0.q.lora_B.weight", "peft"),
        ("unet.to_q.lora.down.weight", "unet.to_q.lora.up.weight", "diffusers"),
    ],
)
def test_an_adapter_is_known_by_its_tensors(tmp_path: Path, down: str, up: str, layout: str) -> None:
    header = {
        down: {"dtype": "F16", "shape": [2, 8], "data_offsets": [0, 32]},
        up: {"dtype": "F16", "shape": [8, 2], "data_offsets": [32, 64]},
        "__metadata__": {"ss_base_model_version": "sdxl_base_v1-0"},
    }
    report = inspect(put(tmp_path, style__safetensors=packed(header, bytes(64))))
    assert report.facts.adapter == {"peft_type": "LORA", "layout": layout, "r": 2}
    assert report.facts.lineage == ("sdxl_base_v1-0",)
