#!/usr/bin/env python3
"""AQLM's and VPTQ's decoded weights, bit for bit, over sizes of codebooks and blocks.

    tests/parity/codebooks_parity.py PROGRAM          needs tests/parity/setup
"""

import functools
import importlib.util
import pathlib
import sys
import types

import torch

try:
    from aqlm.utils import _dequantize_weight, pack_int_data, unpack_int_data
except ImportError as missing:
    print(f"aqlm is not installed: {missing}")
    sys.exit(77)
from decoded_weights import Checkpoint, main

AQLM = ((1, 16, 1, 8), (2, 8, 1, 8), (1, 8, 4, 4), (3, 5, 1, 4), (2, 12, 2, 8))


def additive(generator):
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        for count, bits, rows, columns in AQLM:
            checkpoint = Checkpoint(f"aqlm {count} x {bits}, {rows} x {columns}, {dtype}", {
                "quant_method": "aqlm", "num_codebooks": count, "nbits_per_codebook": bits,
                "out_group_size": rows, "in_group_size": columns,
                "linear_weights_not_to_quantize": []}, dtype)
            for shape in ((rows, columns), (5 * rows, 12 * columns)):
                add_additive(checkpoint, shape, count, bits, rows, columns, generator)
            yield checkpoint


def add_additive(checkpoint, shape, count, bits, rows, columns, generator):
    groups = (shape[0] // rows, shape[1] // columns)
    codes = torch.randint(0, 2 ** bits, (*groups, count), generator=generator)
    stored = pack_int_data(codes.clone(), bits)
    books = torch.randn((count, 2 ** bits, rows, columns), generator=generator) * 0.1
    scales = torch.rand((groups[0], 1, 1, 1), generator=generator) + 0.5
    books, scales = books.to(checkpoint.dtype), scales.to(checkpoint.dtype)
    wanted = _dequantize_weight(unpack_int_data(stored, bits), books, scales)
    if checkpoint.dtype == torch.bfloat16:
        # torch's embedding_bag rounds sums of bfloat16 in a way of its own on the CPU.
        summed = _dequantize_weight(unpack_int_data(stored, bits), books.float(), None)
        wanted = summed.to(torch.bfloat16) * scales.reshape(-1, 1).repeat_interleave(rows, 0)
    checkpoint.add(shape, {"codes": stored, "codebooks": books, "scales": scales}, wanted)


def vptq_module(root, path):
    """vptq's package imports much that decoding does not need."""
    spec = importlib.util.spec_from_file_location("vptq_" + path.replace("/", "_"),
                                                  root / (path + ".py"))
    module = importlib.util.module_from_spec(spec)
    for name in ("tqdm", "sentence_transformers", "sentence_transformers.SentenceTransformer",
                 "accelerate", "vptq"):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["sentence_transformers.SentenceTransformer"].SentenceTransformer = object
    spec.loader.exec_module(module)
    return module


def vptq_functions():
    root = pathlib.Path(importlib.util.find_spec("vptq").origin).parent
    pack = vptq_module(root, "utils/pack")
    for name in ("vptq.utils", "vptq.utils.pack"):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["vptq.utils.pack"].unpack_index_tensor = pack.unpack_index_tensor
    return pack.pack_index, vptq_module(root, "ops/quant_gemm").dequant


VPTQ = (  # vector, centroids, residual centroids, groups, outliers, norm, perm
    (8, 256, 256, 1, 0, True, True), (4, 4096, -1, 1, 0, False, False),
    (6, 16, 16, 2, 8, True, True), (8, 65536, 256, 1, 4, True, False))


def vectors(generator):
    pack_index, dequant = vptq_functions()
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        for case in VPTQ:
            layer, shape, tensors, decode = vector_case(case, dtype, pack_index, dequant, generator)
            config = {"quant_method": "vptq", "config_for_layers": {"m0.proj": layer},
                      "shared_layer_config": {}, "modules_to_not_convert": []}
            checkpoint = Checkpoint(f"vptq {case} {dtype}", config, dtype)
            checkpoint.add(shape, tensors, decode())
            yield checkpoint


def vector_case(case, dtype, pack_index, dequant, generator, shape=None):
    """-> its settings, shape and tensors, and what decodes them with vptq"""
    vector, centroids, residuals, groups, outliers, norm, perm = case
    rows, columns = shape or (3 * vector + 2, groups * 12 + outliers)
    group_size = (columns - outliers) // groups
    blocks = -(-rows // vector)

    def drawn(*shape):
        return (torch.randn(shape, generator=generator) * 0.1).to(dtype)

    def indices(top, *shape):
        return torch.randint(0, top, shape, generator=generator).to(torch.uint16)

    bits = centroids.bit_length() - 1
    residual_bits = residuals.bit_length() - 1 if residuals > 0 else 0
    main_indices = indices(centroids, groups, blocks, group_size)
    residual_indices = indices(residuals, groups, blocks, group_size) if residuals > 0 else None
    tensors = {"indices": pack_index(main_indices, bits, residual_indices, residual_bits),
               "centroids.weight": drawn(groups, centroids * vector)}
    if residuals > 0:
        tensors["res_centroids.weight"] = drawn(groups, residuals * vector)
    if outliers:
        tensors["outlier_indices"] = indices(64, 1, -(-rows // 4), outliers).view(torch.int16)
        tensors["outlier_centroids.weight"] = drawn(1, 64 * 4)
    if norm:
        tensors["weight_scale"], tensors["weight_bias"] = drawn(columns), drawn(columns)
    if perm:
        order = torch.randperm(columns, generator=generator).to(torch.uint16)
        tensors["perm"] = order.view(torch.int16)
    decode = functools.partial(
        dequant,
        indices=tensors["indices"], outlier_indices=tensors.get("outlier_indices"),
        centroids=tensors["centroids.weight"].view(groups, centroids, vector),
        outlier_centroids=tensors.get("outlier_centroids.weight"), res_indices=None,
        res_centroids=tensors.get("res_centroids.weight"), perm=tensors.get("perm"),
        weight_scale=tensors.get("weight_scale"), weight_bias=tensors.get("weight_bias"),
        is_indice_packed=True, enable_outlier=bool(outliers), enable_residual=residuals > 0,
        enable_perm=perm, enable_norm=norm, num_centroids=centroids, num_outlier_centroids=64,
        num_res_centroids=residuals, padding=-rows % vector, outlier_padding=-rows % 4,
        num_codebooks=groups, group_size=group_size, outlier_size=outliers, vector_len=vector,
        outlier_vector_len=4)
    layer = {"vector_lens": [4 if outliers else -1, vector], "group_num": groups,
             "num_centroids": [64 if outliers else -1, centroids],
             "num_res_centroids": [-1, residuals], "group_size": group_size,
             "outlier_size": outliers, "enable_norm": norm, "enable_perm": perm,
             "in_features": columns, "out_features": rows, "indices_as_float": False,
             "is_indice_packed": True}
    return layer, (rows, columns), tensors, decode


def checkpoints():
    generator = torch.Generator().manual_seed(6)
    yield from additive(generator)
    if importlib.util.find_spec("vptq"):
        yield from vectors(generator)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], checkpoints()))
