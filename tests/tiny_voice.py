"""Voices as ONNX files: random weights in the shape of the last part of Piper's, which makes sound of frames."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SYMBOLS = 8
FRAMES = 2  # for each symbol
SLOPE = 0.1


@dataclass
class TinyVoice:
    """width: numbers of a frame; each of `strides` halves it and makes so many places of one. twice: blocks with a
    second convolution after each one. hop: samples for each of the last places, as spectra become sound; 1 for none.
    kind: the code of the type of what goes in. dtype: of the weights."""

    width: int = 32
    strides: tuple[int, ...] = (4, 2)
    twice: bool = False
    hop: int = 1
    kind: int = TensorProto.INT64
    dtype: type[np.floating] = np.float32
    operators: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        last = self._sound(self._frames())
        inputs = [helper.make_tensor_value_info("input", self.kind, ["texts", "symbols"])]
        outputs = [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)]
        self._nodes += [helper.make_node(operator, [last], [f"{operator}-out"]) for operator in self.operators]
        graph = helper.make_graph(self._nodes, "voice", inputs, outputs, self._weights)
        model = helper.make_model(graph, producer_name="pytorch", opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        helper.set_model_props(model, self.metadata)
        path.write_bytes(model.SerializeToString())
        return path

    def _frames(self) -> str:
        """Each symbol as some frames of its own."""
        looked_up = self._make("Gather", self._weight(SYMBOLS, self.width), "input")
        turned = self._make("Transpose", looked_up, perm=[0, 2, 1])
        sizes = numpy_helper.from_array(np.array([1, 1, FRAMES], np.float32), "sizes")
        self._weights.append(sizes)
        return self._make("Resize", turned, "", "sizes", mode="nearest")

    def _sound(self, before: str) -> str:
        width = self.width
        for stride in self.strides:
            width //= 2
            active = self._make("LeakyRelu", before, alpha=SLOPE)
            weight = self._weight(2 * width, width, 2 * stride)
            up = self._make("ConvTranspose", active, weight, strides=[stride], pads=[stride // 2, stride // 2])
            blocks = [self._block(up, width, kernel) for kernel in (3, 5, 7)]
            before = self._make("Add", self._make("Add", blocks[0], blocks[1]), blocks[2])
        if self.hop > 1:
            weight = self._weight(width, 1, 2 * self.hop)
            return self._make("ConvTranspose", before, weight, strides=[self.hop])
        return self._make("Tanh", self._convolution(before, 1, width, 7, 1))

    def _block(self, before: str, width: int, kernel: int) -> str:
        for dilation in (1, 3):
            inner = self._convolution(self._make("LeakyRelu", before, alpha=SLOPE), width, width, kernel, dilation)
            if self.twice:
                inner = self._convolution(self._make("LeakyRelu", inner, alpha=SLOPE), width, width, kernel, 1)
            before = self._make("Add", before, inner)
        return before

    def _convolution(self, before: str, out: int, width: int, kernel: int, dilation: int) -> str:
        pad = dilation * (kernel - 1) // 2
        return self._make("Conv", before, self._weight(out, width, kernel), dilations=[dilation], pads=[pad, pad])

    def _make(self, operator: str, *inputs: str, **settings: object) -> str:
        name = f"{operator}-{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], **settings))
        return name

    def _weight(self, *shape: int) -> str:
        name = f"weight-{len(self._weights)}"
        values = np.random.default_rng(0).standard_normal(shape).astype(self.dtype) * self.dtype(0.05)
        self._weights.append(numpy_helper.from_array(values, name))
        return name
