"""Models of random weights to measure with: files that our reader and the engines accept."""

from contextlib import closing
from pathlib import Path

import pytest

from abierto.engines.session import LoadOptions
from abierto.formats.gguf import read_parts
from abierto.recipes import codec_choice
from abierto.recipes.yardstick import Shape, make
from abierto.runtime import child
from abierto.tasks.chat import Sampling
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.events import Usage

TINY = Shape(2, 256, 512, 4, 2, 512)


@pytest.mark.parametrize("dtype", ["Q4_K", "Q8_0", "F16"])
def test_the_file_has_the_shape_and_the_type(tmp_path: Path, dtype: str) -> None:
    header = read_parts([str(make(tmp_path / "a.gguf", TINY, dtype, codec_choice.find()))])
    assert (header.block_count, header.embedding_length, header.vocab_size) == (2, 256, 512)
    assert {tensor.dtype for tensor in header.tensors if len(tensor.shape) > 1} == {dtype}
    assert header.quantization.startswith(dtype)


@pytest.mark.parametrize(("engine", "dtype"), [("llamacpp", "Q4_K"), ("llamacpp", "Q5_0"), ("openvino", "Q4_0")])
def test_an_engine_runs_it_and_a_letter_is_a_token(tmp_path: Path, engine: str, dtype: str) -> None:
    path = make(tmp_path / "a.gguf", TINY, dtype, codec_choice.find())
    options = LoadOptions(context=256, threads=1, settings={"cache": str(tmp_path)})
    with closing(child.load(engine, [str(path)], options)) as session:
        events = list(session.complete(CompleteRequest("abcdefgh", Sampling(max_tokens=4, temperature=0))))
    [usage] = [event for event in events if isinstance(event, Usage)]
    assert usage.prompt_tokens == 8
    assert usage.completion_tokens >= 1


def test_rows_repeat_wherever_one_begins_to_read(tmp_path: Path) -> None:
    header = read_parts([str(make(tmp_path / "a.gguf", TINY, "F16", codec_choice.find()))])
    [words] = [tensor for tensor in header.tensors if tensor.name == "token_embd.weight"]
    data = (tmp_path / "a.gguf").read_bytes()[header.data_offset + words.offset :][: words.size]
    row = words.size // 512
    assert data[:row] == data[64 * row : 65 * row] != data[row : 2 * row]
