"""Writes tiny chat models as folders of OpenVINO's own files, made by the engine itself of a tiny GGUF file.

It knows nothing of the code under test.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.tiny_gguf import MERGES, TinyGGUF, Typed, vocabulary

# In a process of its own: the engine's package, once imported, would report home from the test's.
_MAKE = """
import sys
sys.modules["openvino_telemetry"] = None
import openvino_genai
properties = {"enable_save_ov_model": True}
tokenizer = openvino_genai.Tokenizer(sys.argv[1], **properties)
openvino_genai.ContinuousBatchingPipeline(
    sys.argv[1], tokenizer, openvino_genai.SchedulerConfig(), "CPU", **properties
)
"""


def write_openvino(folder: Path, gguf: TinyGGUF) -> Path:
    """Write the model of a GGUF file (in half precision) as OpenVINO's files; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = gguf.write(folder / "model.gguf")
    subprocess.run([sys.executable, "-c", _MAKE, str(file)], check=True, capture_output=True)
    file.unlink()
    config = {
        "model_type": "llama",
        "num_hidden_layers": gguf.layers,
        "num_attention_heads": gguf.heads,
        "num_key_value_heads": gguf.heads_kv,
        "hidden_size": gguf.embedding,
        "max_position_embeddings": gguf.context,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


# One image becomes this many tokens.
IMAGE_TOKENS = 4

# Takes the model of a folder apart as models that see are stored, with eyes that know nothing but the mean colour.
_GIVE_EYES = """
import sys
from pathlib import Path
import numpy
import openvino
from openvino import opset13 as op

folder, tokens, wide = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
core = openvino.Core()

def save(model, part):
    openvino.save_model(model, folder / f"openvino_{part}_model.xml", compress_to_fp16=False)

def parameter(name, *shape):
    made = op.parameter(openvino.PartialShape(shape), openvino.Type.f32, name=name)
    made.output(0).set_names({name})
    return made

def embedding(model):
    ids = model.input("input_ids").get_node()
    users = [target.get_node() for target in ids.output(0).get_target_inputs()]
    [converted] = [user for user in users if user.get_type_name() == "Convert"]
    [gathered] = [target.get_node() for target in converted.output(0).get_target_inputs()]
    return ids, gathered

ids, gathered = embedding(core.read_model(folder / "openvino_model.xml"))
text = openvino.Model([op.result(gathered)], [ids], "text")
text.output(0).set_names({"inputs_embeds"})
save(text, "text_embeddings")

language = core.read_model(folder / "openvino_model.xml")
ids, gathered = embedding(language)
embeds = parameter("inputs_embeds", -1, -1, wide)
for target in gathered.output(0).get_target_inputs() | ids.output(0).get_target_inputs():
    target.replace_source_output(embeds.output(0))
language.add_parameters([embeds])
language.remove_parameter(ids)
save(language, "language")

pixels = parameter("pixel_values", -1, 3, -1, -1)
colour = op.reduce_mean(pixels, op.constant([2, 3], dtype=numpy.int64), keep_dims=False)
weights = numpy.random.default_rng(1).standard_normal((3, tokens * wide)).astype(numpy.float32) * 4
seen = op.matmul(colour, op.constant(weights), False, False)
seen = op.reshape(seen, op.constant([-1, tokens, wide], dtype=numpy.int64), False)
eyes = openvino.Model([op.result(seen)], [pixels], "eyes")
eyes.output(0).set_names({"last_hidden_state"})
save(eyes, "vision_embeddings")
"""


def write_seeing(folder: Path, seed: int = 26) -> Path:
    """Write a tiny model of the LLaVA family with random weights, whose answers depend on the colours of images.

    With the seed given here they differ early on, whether the processor computes in 32 bits or in 16.
    """
    names = [*vocabulary()[:-1], "<image>"]
    types = [Typed("i32", 1 if letter < 256 else 3) for letter in range(len(names))]
    words = {"tokenizer.ggml.tokens": names, "tokenizer.ggml.token_type": Typed("array", types)}
    gguf = TinyGGUF(dtype="f16", seed=seed, metadata={**words, "tokenizer.ggml.merges": list(MERGES[:-1])})
    write_openvino(folder, gguf)
    command = [sys.executable, "-c", _GIVE_EYES, str(folder), str(IMAGE_TOKENS), str(gguf.embedding)]
    subprocess.run(command, check=True, capture_output=True)
    for end in ("xml", "bin"):
        (folder / f"openvino_model.{end}").unlink()
    text = json.loads((folder / "config.json").read_text())
    about = {"model_type": "llava", "hidden_size": gguf.embedding, "vision_config": {"patch_size": 14}}
    (folder / "config.json").write_text(json.dumps({**about, "text_config": text}))
    size = {"crop_size": {"height": 28, "width": 28}, "size": {"shortest_edge": 28}}
    sight = {**size, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(sight))
    return folder
