#!/usr/bin/env python3
"""torchao's tensors: what flatten_tensor_state_dict writes, decoded bit for bit as dequantize() does.

    tests/parity/torchao_parity.py PROGRAM          needs tests/parity/setup
"""

import itertools
import sys

import torch

try:
    from torchao.core.config import config_to_dict
    from torchao.prototype.safetensors.safetensors_support import flatten_tensor_state_dict
    from torchao.quantization import (Float8WeightOnlyConfig, Int8DynamicActivationInt8WeightConfig,
                                      Int8DynamicActivationIntxWeightConfig, Int8WeightOnlyConfig,
                                      IntxWeightOnlyConfig, MappingType, PerAxis, PerGroup, PerRow,
                                      PerTensor, quantize_)
except ImportError as missing:
    print(f"torchao is not installed: {missing}")
    sys.exit(77)
from decoded_weights import Checkpoint, main

SHAPES = ((64, 128), (33, 96), (7, 160))


def configs():
    for granularity in (PerRow(), PerTensor(), PerGroup(32)):
        yield Int8WeightOnlyConfig(granularity=granularity, version=2)
    yield Int8DynamicActivationInt8WeightConfig(version=2)
    yield Float8WeightOnlyConfig()
    kinds = (MappingType.SYMMETRIC, MappingType.ASYMMETRIC)
    for bits, mapping, granularity in itertools.product(
            range(1, 9), kinds, (PerGroup(32), PerAxis(0))):
        if bits == 1 and mapping == MappingType.SYMMETRIC:
            continue  # torchao has no scale for it
        yield IntxWeightOnlyConfig(weight_dtype=getattr(torch, f"int{bits}"), mapping_type=mapping,
                                   granularity=granularity)
    yield Int8DynamicActivationIntxWeightConfig(weight_dtype=torch.int4,
                                                weight_granularity=PerGroup(32))


def add_all(checkpoint, config, generator):
    model = torch.nn.Module()
    for i, shape in enumerate(SHAPES):
        linear = torch.nn.Linear(shape[1], shape[0], bias=False, dtype=checkpoint.dtype)
        linear.weight.data = (torch.randn(shape, generator=generator) * 0.05).to(checkpoint.dtype)
        quantize_(linear, config)
        model.add_module(f"m{i}", linear)
    tensors, metadata = flatten_tensor_state_dict(model.state_dict())
    checkpoint.metadata = metadata
    for i, shape in enumerate(SHAPES):
        prefix = f"m{i}."
        own = {name[len(prefix):]: value for name, value in tensors.items()
               if name.startswith(prefix)}
        checkpoint.add(shape, own, getattr(model, f"m{i}").weight.dequantize(), name=f"m{i}")


def checkpoints():
    generator = torch.Generator().manual_seed(3)
    for dtype, config in itertools.product((torch.bfloat16, torch.float16, torch.float32),
                                           configs()):
        checkpoint = Checkpoint(f"torchao {config} {dtype}", {
            "quant_method": "torchao", "quant_type": {"default": config_to_dict(config)},
            "modules_to_not_convert": []}, dtype)
        add_all(checkpoint, config, generator)
        yield checkpoint


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], checkpoints()))
