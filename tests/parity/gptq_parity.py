#!/usr/bin/env python3
"""Decoded weights of GPTQ, AWQ and auto-round, bit for bit in float16, against GPTQModel's kernels in
plain PyTorch and auto-round's: all widths, versions of the zero points, group sizes and orders of
the input features, at odd sizes. Words are random bits, scales of all magnitudes.

    tests/parity/gptq_parity.py PROGRAM          needs tests/parity/setup
"""

import itertools
import math
import sys

import torch

try:
    from auto_round_extension.torch import qlinear_torch, qlinear_torch_zp
    from gptqmodel.nn_modules.qlinear import gemv_fast_awq
    from gptqmodel.nn_modules.qlinear.torch import TorchLinear
    from gptqmodel.quantization.awq.utils import packing_utils
    from gptqmodel.utils.gemv import calculate_zeros_width
    from gptqmodel.utils.model import convert_gptq_v1_to_v2_format_module
except ImportError as missing:
    print(f"gptqmodel or auto-round is not installed: {missing}")
    sys.exit(77)
from decoded_weights import Checkpoint, main

ANY_WORD = {torch.int32: (-2 ** 31, 2 ** 31), torch.int16: (-2 ** 15, 2 ** 15)}


def words(shape, generator, dtype=torch.int32):
    return torch.randint(*ANY_WORD[dtype], tuple(shape), generator=generator).to(dtype)


def scales(shape, generator):
    """Positive, of all magnitudes that float16 has, small enough that no product overflows."""
    exponents = torch.randint(-20, 4, tuple(shape), generator=generator).float()
    return ((1 + torch.rand(tuple(shape), generator=generator)) * torch.exp2(exponents)).half()


def name(checkpoint):
    return f"model.layers.{len(checkpoint.modules)}.proj"


def with_head(checkpoint):
    """The last parameter of a model is never converted by default: it must not be one of these."""
    checkpoint.modules.append({"name": "lm_head", "shape": [1, 1], "kind": "linear",
                               "class": "Linear"})
    checkpoint.tensors["lm_head.weight"] = torch.zeros(1, 1, dtype=torch.float16)
    return checkpoint


# GPTQ -------------------------------------------------------------------------------------------

def gptq_kernel(bits, group_size, shape, generator, shuffled):
    kernel = TorchLinear(bits=bits, group_size=group_size, sym=False, desc_act=shuffled,
                         in_features=shape[1], out_features=shape[0], bias=False,
                         pack_dtype=torch.int32, register_buffers=True)
    kernel.qweight.data = words(kernel.qweight.shape, generator)
    kernel.qzeros.data = words(kernel.qzeros.shape, generator)
    kernel.scales.data = scales(kernel.scales.shape, generator)
    if shuffled:
        kernel.g_idx.data = kernel.g_idx[torch.randperm(shape[1], generator=generator)]
    return kernel.eval()


def gptq_decoded(kernel, is_first_version):
    if is_first_version:
        convert_gptq_v1_to_v2_format_module(kernel, kernel.bits, torch.int32)
    return kernel.dequantize_weight().t()


GPTQ_SHAPES = {2: ((16, 64), (48, 160), (17, 96), (5, 32), (128, 1)), 3: ((32, 64), (96, 160)),
               4: ((8, 64), (40, 96), (13, 160), (3, 50), (256, 7)), 8: ((4, 64), (7, 33), (30, 160))}


def gptq():
    generator = torch.Generator().manual_seed(1)
    for bits, version, size, shuffled in itertools.product(
            (2, 3, 4, 8), ("gptq", "gptq_v2"), (-1, 16, 32, 128), (False, True)):
        checkpoint = Checkpoint(f"gptq {bits} {version} {size} {shuffled}", {
            "quant_method": "gptq", "bits": bits, "group_size": size, "sym": False,
            "desc_act": shuffled, "checkpoint_format": version}, torch.float16)
        for shape in GPTQ_SHAPES[bits]:
            kernel = gptq_kernel(bits, size, shape, generator, shuffled)
            stored = {key: value.clone() for key, value in kernel.named_buffers()
                      if not key.startswith("wf_")}
            checkpoint.add(shape, stored, gptq_decoded(kernel, version == "gptq"),
                           name=name(checkpoint))
        yield with_head(checkpoint)


# AWQ --------------------------------------------------------------------------------------------

def awq_gemm():
    generator = torch.Generator().manual_seed(2)
    for bits, size in itertools.product((2, 3, 4, 5, 6, 7, 8), (-1, 16, 64)):
        checkpoint = Checkpoint(f"awq gemm {bits} {size}", {
            "quant_method": "awq", "bits": bits, "group_size": size}, torch.float16)
        for shape in ((8, 64), (40, 128), (136, 192)):
            group = shape[1] if size == -1 else size
            width = math.ceil(shape[0] * bits / 32)
            stored = {"qweight": words((shape[1], width), generator),
                      "qzeros": words((shape[1] // group, width), generator),
                      "scales": scales((shape[1] // group, shape[0]), generator)}
            decoded = packing_utils.dequantize_gemm(**stored, bits=bits, group_size=group)
            checkpoint.add(shape, stored, decoded.t(), name=name(checkpoint))
        yield with_head(checkpoint)


def random_parts(shape, group, generator):
    """Codes [out, in], scales and zero points [out, groups]."""
    grid = (shape[0], shape[1] // group)
    return (torch.randint(0, 16, shape, generator=generator).int(), scales(grid, generator),
            torch.randint(0, 16, grid, generator=generator).int())


def padded(values, width):
    return torch.nn.functional.pad(values, (0, width - values.shape[1]))


def awq_gemv():
    """The kernel runs on GPUs alone; its packing runs anywhere, and what it stands for is known."""
    generator = torch.Generator().manual_seed(3)
    for group in (32, 64, 128):
        checkpoint = Checkpoint(f"awq gemv {group}", {"quant_method": "awq", "bits": 4,
                                "group_size": group, "version": "gemv"}, torch.float16)
        for shape in ((8, 128), (64, 256), (33, 1280)):
            codes, scale, zeros = random_parts(shape, group, generator)
            width = calculate_zeros_width(shape[1], group) * 8
            stored = {"qweight": packing_utils.pack_awq_columns(codes, 4),
                      "qzeros": packing_utils.pack_awq_columns(padded(zeros, width), 4),
                      "scales": padded(scale, width)}
            spread = [part.repeat_interleave(group, 1) for part in (zeros, scale)]
            checkpoint.add(shape, stored, (codes - spread[0]).half() * spread[1],
                           name=name(checkpoint))
        yield with_head(checkpoint)


def awq_gemv_fast():
    generator = torch.Generator().manual_seed(4)
    for version, group in itertools.product(("gemv_fast", "llm-awq"), (64, 128)):
        checkpoint = Checkpoint(f"awq {version} {group}", {"quant_method": "awq", "bits": 4,
                                "group_size": group, "version": version}, torch.float32)
        for shape in ((8, 128), (64, 256), (36, 1280)):
            codes, scale, zeros = random_parts(shape, group, generator)
            scaled = -(scale * zeros.float()).half()
            width = calculate_zeros_width(shape[1], group) * 8
            stored = {"qweight": gemv_fast_awq.pack_intweight(codes, interleave=4, kstride=64),
                      "scales": padded(scale, width).t(),
                      "scaled_zeros" if version == "llm-awq" else "qzeros": padded(scaled, width).t()}
            spread = [part.float().repeat_interleave(group, 1) for part in (scaled, scale)]
            checkpoint.add(shape, stored, codes.float() * spread[1] + spread[0],
                           name=name(checkpoint))
        yield with_head(checkpoint)


# auto-round -------------------------------------------------------------------------------------

def decoded_by_forward(layer):
    """Its kernel keeps the weight to itself; the identity brings it out, in float32."""
    taken = []
    matmul = torch.matmul
    torch.matmul = lambda x, weight: taken.append(weight) or matmul(x, weight)
    try:
        layer(torch.zeros(1, layer.infeatures, dtype=torch.float16))
    finally:
        torch.matmul = matmul
    return taken[0].t()


def auto_round():
    generator = torch.Generator().manual_seed(5)
    kinds = (("auto_round:auto_gptq", qlinear_torch_zp), ("auto_round", qlinear_torch),
             ("auto_round:gptqmodel", qlinear_torch))
    for (packing, module), bits, size in itertools.product(kinds, range(2, 9), (-1, 32, 128)):
        checkpoint = Checkpoint(f"{packing} {bits} {size}", {
            "quant_method": "auto-round", "bits": bits, "group_size": size, "sym": False,
            "packing_format": packing}, torch.float16)
        for shape in ((32, 128), (96, 256)):
            layer = module.QuantLinear(bits, size, shape[1], shape[0], bias=False)
            layer.qweight.data = words(layer.qweight.shape, generator)
            layer.qzeros.data = words(layer.qzeros.shape, generator)
            signs = torch.randint(0, 2, tuple(layer.scales.shape), generator=generator) * 2 - 1
            layer.scales.data = scales(layer.scales.shape, generator) * signs
            stored = {key: value.clone() for key, value in layer.named_buffers()}
            checkpoint.add(shape, stored, decoded_by_forward(layer), name=name(checkpoint))
        yield with_head(checkpoint)


if __name__ == "__main__":
    everything = itertools.chain(gptq(), awq_gemm(), awq_gemv(), awq_gemv_fast(), auto_round())
    with torch.inference_mode():
        sys.exit(main(sys.argv[1], everything))
