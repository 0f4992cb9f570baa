#!/usr/bin/env python3
"""MLX's decoded weights, bit for bit, over modes, bits, groups and dtypes.

    tests/parity/mlx_parity.py PROGRAM          needs tests/parity/setup
"""

import itertools
import sys

import torch

try:
    import mlx.core as mx
    import numpy
except ImportError as missing:
    print(f"mlx is not installed: {missing}")
    sys.exit(77)
from decoded_weights import Checkpoint, main

SHAPES = ((5, 128), (64, 256), (1, 384))
DTYPES = {torch.float32: mx.float32, torch.float16: mx.float16, torch.bfloat16: mx.bfloat16}


def to_torch(array):
    """bfloat16 has no numpy type: its bytes are taken over."""
    if array.dtype == mx.bfloat16:
        bits = numpy.array(array.view(mx.uint16))
        return torch.from_numpy(bits.astype(numpy.int16)).view(torch.bfloat16)
    return torch.from_numpy(numpy.array(array))


def add(checkpoint, shape, group, bits, mode, generator):
    values = (torch.randn(shape, generator=generator) * 0.05).numpy()
    dense = mx.array(values).astype(DTYPES[checkpoint.dtype])
    made = mx.quantize(dense, group_size=group, bits=bits, mode=mode)
    names = ("weight", "scales", "biases")[:len(made)]
    decoded = mx.dequantize(*made, group_size=group, bits=bits, mode=mode,
                            dtype=DTYPES[checkpoint.dtype])
    checkpoint.add(shape, {name: to_torch(part) for name, part in zip(names, made)},
                   to_torch(decoded))


def checkpoints():
    mx.set_default_device(mx.cpu)
    generator = torch.Generator().manual_seed(4)
    affine = [("affine", bits, group) for bits in (2, 3, 4, 5, 6, 8) for group in (32, 64, 128)]
    floats = [("mxfp4", 4, 32), ("mxfp8", 8, 32), ("nvfp4", 4, 16)]
    for dtype, (mode, bits, group) in itertools.product(DTYPES, affine + floats):
        config = {"group_size": group, "bits": bits, "mode": mode}
        checkpoint = Checkpoint(f"mlx {config} {dtype}", config, dtype)
        for shape in SHAPES:
            add(checkpoint, shape, group, bits, mode, generator)
        yield checkpoint


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], checkpoints()))
