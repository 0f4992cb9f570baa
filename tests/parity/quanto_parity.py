#!/usr/bin/env python3
"""optimum-quanto's decoded weights, bit for bit, over dtypes, bits and odd shapes.

    tests/parity/quanto_parity.py PROGRAM          needs tests/parity/setup
"""

import sys

import torch

try:
    from optimum.quanto import QLinear, qfloat8, qint2, qint4, qint8
    from optimum.quanto.tensor import WeightQBitsTensor
    from optimum.quanto.tensor.packed import PackedTensor
except ImportError as missing:
    print(f"optimum-quanto is not installed: {missing}")
    sys.exit(77)
from decoded_weights import Checkpoint, main

QTYPES = {"int8": qint8, "float8": qfloat8, "int4": qint4, "int2": qint2}
SHAPES = ((64, 128), (33, 96), (7, 160), (5, 31), (128, 384), (12, 544))


def unpack(self):
    """As the library's Python does; it would compile C++ for it first."""
    fields = [(self._data >> shift) & (2 ** self._bits - 1) for shift in range(0, 8, self._bits)]
    return torch.cat(fields)[:self.shape[0]]


def stored(layer):
    found = {}
    layer._save_to_state_dict(found, "", keep_vars=False)
    return {name: value.contiguous() for name, value in found.items() if name != "bias"}


def add(checkpoint, shape, qtype, generator):
    linear = torch.nn.Linear(shape[1], shape[0], bias=False, dtype=checkpoint.dtype)
    linear.weight.data = (torch.randn(shape, generator=generator) * 0.05).to(checkpoint.dtype)
    layer = QLinear.from_module(linear, weights=qtype)
    layer.freeze()
    if isinstance(layer.weight, WeightQBitsTensor) and type(layer.weight) is not WeightQBitsTensor:
        layer.weight = torch.nn.Parameter(layer.weight.weight_qbits_tensor(), requires_grad=False)
    checkpoint.add(shape, stored(layer), layer.weight.dequantize())


def checkpoints():
    generator = torch.Generator().manual_seed(2)
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        for weights, qtype in QTYPES.items():
            checkpoint = Checkpoint(f"quanto {weights} {dtype}", {
                "quant_method": "quanto", "weights": weights, "modules_to_not_convert": []}, dtype)
            for shape in SHAPES:
                add(checkpoint, shape, qtype, generator)
            yield checkpoint


if __name__ == "__main__":
    PackedTensor.unpack = unpack
    sys.exit(main(sys.argv[1], checkpoints()))
