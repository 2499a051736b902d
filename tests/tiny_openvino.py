"""Writes a tiny chat model as a folder of OpenVINO's own files, made by the engine itself of a tiny GGUF file.

It knows nothing of the code under test.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.tiny_gguf import TinyGGUF

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
