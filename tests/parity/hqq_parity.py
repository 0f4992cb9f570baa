#!/usr/bin/env python3
"""HQQ's decoded weights, bit for bit, over bits, axes, groups, dtypes and float views.

    tests/parity/hqq_parity.py PROGRAM          needs tests/parity/setup
"""

import itertools
import sys

import torch

try:
    from hqq.core.quantize import BaseQuantizeConfig, HQQLinear
except ImportError as missing:
    print(f"hqq is not installed: {missing}")
    sys.exit(77)
from decoded_weights import Checkpoint, main

SHAPES = ((64, 128), (48, 96), (20, 160))


def stored(layer):
    """The tensors as safetensors holds them."""
    return {name: value for name, value in layer.state_dict().items()
            if isinstance(value, torch.Tensor) and name != "bias"}


def add(checkpoint, shape, options, generator):
    linear = torch.nn.Linear(shape[1], shape[0], bias=False)
    linear.weight.data = torch.randn(shape, generator=generator) * 0.05
    try:
        layer = HQQLinear(linear, BaseQuantizeConfig(**options), compute_dtype=checkpoint.dtype,
                          device="cpu")
        wanted = layer.dequantize()
    except (RuntimeError, TypeError):
        return  # rows that do not fill the words: hqq cannot pack, or not unpack them
    checkpoint.add(shape, stored(layer), wanted)


def checkpoints():
    generator = torch.Generator().manual_seed(1)
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        for bits, axis, group, view in itertools.product((8, 4, 3, 2, 1), (0, 1), (32, 64, None),
                                                         (False, True)):
            options = {"nbits": bits, "group_size": group, "axis": axis, "view_as_float": view}
            checkpoint = Checkpoint(f"hqq {options} {dtype}", {
                "quant_method": "hqq", "quant_config": BaseQuantizeConfig(**options),
                "skip_modules": []}, dtype)
            for shape in SHAPES:
                if view and shape != (64, 128):
                    continue
                add(checkpoint, shape, options, generator)
            if checkpoint.modules:
                yield checkpoint


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], checkpoints()))
