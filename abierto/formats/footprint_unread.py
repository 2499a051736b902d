"""The memory that a model will take, guessed from the size of its file and its number of parameters, before any file of
it is here. It knows no header and no computer.

Llama 3.1 and 3.2, Qwen3 and SmolLM2, of 0.1 to 70 billion parameters, keep 23, 115, 33, 115, 131, 147, 164, 262 and
328 kB of each token (blocks x heads of keys and values x their width x 2 x 2 bytes, by their published sizes). A curve
through these is the guess; each one is less than a factor of 2.5 away from it. Models with sliding windows or states
keep less. What lies between the layers follows the formula of `footprint` for the same models.
"""

from abierto.formats.footprint import ENGINE_BYTES, Footprint

CACHE_SCALE, CACHE_POWER = 60_000, 0.4  # bytes of a token for a billion parameters
COMPUTE_SCALE, COMPUTE_POWER = 15_000_000, 0.5
VOCABULARY_BYTES = 40_000_000  # of 100,000 tokens with their merges
_BILLION = 1e9

# Bits of one parameter in a file of llama.cpp's, where scales and the wider types of some layers are counted in:
# those of Llama 3.1 8B (https://github.com/ggml-org/llama.cpp/blob/master/tools/quantize/README.md).
BITS = {"q2_k": 3.16, "q3_k_m": 4.0, "q4_0": 4.66, "q4_1": 5.1, "q4_k": 4.89, "q4_k_m": 4.89, "q5_k_m": 5.7}
BITS |= {"q5_0": 5.5, "q5_1": 6.0, "q6_k": 6.56, "q8_0": 8.5, "fp8": 8.0, "f16": 16.0, "fp16": 16.0, "bf16": 16.0}
BITS |= {"f32": 32.0}
# What files of these formats mostly hold, where the name of the form tells no type.
USUAL_BITS = {"safetensors": 16.0, "ctranslate2": 16.0, "onnx": 32.0}


def weights_size(form: str, parameters: int | None, format_: str = "") -> int | None:
    """About how many bytes the file has in this quantisation, or in a usual one of its format; None where that cannot
    be guessed."""
    bits = BITS.get(form.lower().removeprefix("ggml-")) or USUAL_BITS.get(format_)
    return round(parameters * bits / 8) if bits and parameters else None


def estimate(weights: int, parameters: int | None, context: int, max_concurrent: int = 1) -> Footprint:
    """What a model of so many bytes takes with `context` tokens for each of `max_concurrent` conversations.

    parameters: None where unknown: one for each byte.
    """
    billions = (parameters or weights) / _BILLION
    token = CACHE_SCALE * billions**CACHE_POWER
    compute = COMPUTE_SCALE * billions**COMPUTE_POWER
    return Footprint(weights, round(token * context * max_concurrent), round(compute), ENGINE_BYTES + VOCABULARY_BYTES)
