#!/usr/bin/env python3
"""Formats that transformers decodes itself: BitNet, Metal and Gemma, bit for bit.

    tests/parity/rows_parity.py PROGRAM          needs tests/parity/setup
"""

import itertools
import sys

import torch

try:
    from transformers.integrations import bitnet, gemma_quant, metal_quantization as metal
except ImportError as missing:
    print(f"transformers is too old: {missing}")
    sys.exit(77)
from decoded_weights import Checkpoint, main

HALVES = (torch.float32, torch.bfloat16)
unpack_weights = getattr(bitnet.unpack_weights, "_torchdynamo_orig_callable",
                         bitnet.unpack_weights)


def ternary(generator):
    for kind, dtype in itertools.product(("bitlinear", "autobitlinear"), HALVES):
        checkpoint = Checkpoint(f"bitnet {kind} {dtype}", {
            "quant_method": "bitnet", "linear_class": kind, "modules_to_not_convert": []})
        for shape in ((4, 3), (64, 33), (132, 128)):
            codes = torch.randint(-1, 2, shape, generator=generator)
            packed = bitnet.pack_weights(codes.clone())
            scale = (torch.rand(1, generator=generator) + 0.01).to(dtype)
            unpacked = unpack_weights(packed, torch.float32)
            # BitLinear divides its result by the scale; here the weight is divided.
            wanted = unpacked / scale.float() if kind == "bitlinear" else unpacked * scale.float()
            checkpoint.add(shape, {"weight": packed, "weight_scale": scale}, wanted)
        yield checkpoint


def affine(generator):
    for bits, group, dtype in itertools.product((2, 4, 8), (32, 64), HALVES):
        checkpoint = Checkpoint(f"metal {bits} {group} {dtype}", {
            "quant_method": "metal", "bits": bits, "group_size": group,
            "modules_to_not_convert": []}, dtype)
        for shape in ((3, 64), (65, 192)):
            dense = torch.randn(shape, generator=generator) * 0.05
            packed, scales, offsets = metal._affine_quantize_tensor(dense, group, bits)
            scales, offsets = scales.to(dtype), offsets.to(dtype)
            decoded = metal._affine_dequantize_tensor(packed, scales, offsets, group, bits)
            checkpoint.add(shape, {"weight": packed, "scales": scales, "qbiases": offsets},
                           decoded.to(dtype))
        yield checkpoint


def gemma_weight(layer, bits, shape, generator):
    low = torch.randint(0, 256, layer.weight.shape, generator=generator)
    layer.weight.data = (low - 128).to(torch.int8) if bits == 8 else low.to(torch.uint8)
    layer.weight_scale.data = torch.rand((shape[0], 1), generator=generator) * 0.1


def gemma_rows(generator):
    for bits in (2, 4, 8):
        checkpoint = Checkpoint(f"gemma {bits}", {
            "quant_method": "gemma", "num_bits": bits, "quantize_embeddings": True,
            "modules_to_not_convert": []})
        for shape in ((5, 64), (33, 127), (8, 6)):
            layer = gemma_quant.QuantizedLinear(shape[1], shape[0], num_bits=bits)
            for parameter in layer.parameters():
                parameter.requires_grad = False
            gemma_weight(layer, bits, shape, generator)
            checkpoint.add(shape, layer.state_dict(), layer._dequantize_weights())
        table = gemma_quant.QuantizedEmbedding(16, 64, torch.float32, num_bits=bits)
        low = torch.randint(0, 256, table.embedding_quantized.shape, generator=generator)
        table.embedding_quantized = torch.nn.Parameter(
            (low - 128).to(torch.int8) if bits == 8 else low.to(torch.uint8), requires_grad=False)
        table.embedding_scale.data = torch.rand((16, 1), generator=generator)
        checkpoint.add((16, 64), table.state_dict(), table.weight, "embedding", "Embedding")
        yield checkpoint


def checkpoints():
    generator = torch.Generator().manual_seed(5)
    for kind in (ternary, affine, gemma_rows):
        yield from kind(generator)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], checkpoints()))
