#!/usr/bin/env python3
"""Decodes GGUF files with qspec and with the package gguf: every type, to the bit.

    gguf_parity.py PROGRAM [FILE.gguf ...]

Without files: random blocks of every type that the package decodes, and metadata of every type.
A NaN equals any NaN.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import gguf
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, GGUFWriter, quants

HERE = pathlib.Path(__file__).resolve().parent
ROWS, BLOCKS = 37, 5

# Not decoded by the package: what they stand for is a formula of ggml-quants.c.


def q8_1(blocks):
    d = blocks[:, :4].copy().view(numpy.float32)
    return d * blocks[:, 8:].view(numpy.int8).astype(numpy.float32)


def q8_k(blocks):
    d = blocks[:, :4].copy().view(numpy.float32)
    return d * blocks[:, 4:260].view(numpy.int8).astype(numpy.float32)


def q1_0(blocks):
    d = blocks[:, :2].copy().view(numpy.float16).astype(numpy.float32)
    bits = numpy.unpackbits(blocks[:, 2:], axis=-1, bitorder="little")
    return numpy.where(bits == 1, d, -d).astype(numpy.float32)


OTHERS = {Type.Q8_1: q8_1, Type.Q8_K: q8_k, Type.Q1_0: q1_0}
PLAIN = {Type.F32: numpy.float32, Type.F16: numpy.float16, Type.F64: numpy.float64,
         Type.I8: numpy.int8, Type.I16: numpy.int16, Type.I32: numpy.int32, Type.I64: numpy.int64}


def reference(data, kind, elements):
    data = numpy.ascontiguousarray(data).view(numpy.uint8)
    if kind in PLAIN:
        with numpy.errstate(all="ignore"):
            return data.reshape(-1).view(PLAIN[kind]).astype(numpy.float32)
    size = gguf.GGML_QUANT_SIZES[kind][1]
    with numpy.errstate(all="ignore"):
        if kind in OTHERS:
            return OTHERS[kind](data.reshape(-1, size)).reshape(-1)
        return quants.dequantize(data.reshape(-1, data.shape[-1]), kind).reshape(-1)[:elements]


def write_random(path, seed, kinds):
    random = numpy.random.default_rng(seed)
    writer = GGUFWriter(path, "llama")
    writer.add_bool("test.bool", True)
    for width in (8, 16, 32, 64):
        getattr(writer, f"add_uint{width}")(f"test.u{width}", 2 ** min(width, 53) - 1)
        getattr(writer, f"add_int{width}")(f"test.i{width}", -2 ** min(width - 1, 53))
    writer.add_float32("test.f32", 0.1)
    writer.add_float64("test.f64", 0.1)
    writer.add_array("test.strings", ["", "a", "Ġthe", "\n"])
    writer.add_array("test.numbers", [1, -2, 3])
    writer.add_array("test.floats", [0.5, -1e-3])
    writer.add_array("test.bools", [True, False])
    for kind in kinds:
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = BLOCKS * (256 // elements if elements == 1 else 1)
        data = random.integers(0, 256, (ROWS, blocks * size), dtype=numpy.uint8)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def same_bits(ours, theirs):
    both_nan = numpy.isnan(ours) & numpy.isnan(theirs)
    return bool(((ours.view(numpy.uint32) == theirs.view(numpy.uint32)) | both_nan).all())


def value_of(field):
    value = field.contents()
    return value if not isinstance(value, numpy.ndarray) else value.tolist()


def compare_metadata(reader, found):
    wrong = 0
    fields = {key: field for key, field in reader.fields.items() if not key.startswith("GGUF.")}
    for row in found:
        wanted = value_of(fields.pop(row["key"]))
        if row["value"] != wanted and not (isinstance(wanted, list) and not wanted):
            print(f"  {row['key']}: found {row['value']!r}, wanted {wanted!r}")
            wrong += 1
    return wrong + len(fields)


def compare(program, path):
    reader = GGUFReader(path)
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([program, "lua", HERE / "ggml.lua", path, out], check=True)
        index = json.loads((pathlib.Path(out) / "index.json").read_text())
        tensors = {tensor.name: tensor for tensor in reader.tensors}
        wrong = compare_metadata(reader, index["metadata"])
        for i, row in enumerate(index["tensors"]):
            tensor = tensors.pop(row["name"])
            ours = numpy.fromfile(f"{out}/{i + 1:04d}.raw", dtype=numpy.float32)
            theirs = reference(tensor.data, tensor.tensor_type, tensor.n_elements)
            shape_ok = row["shape"] == [int(n) for n in reversed(tensor.shape)]
            if row["dtype"] != tensor.tensor_type.name or not shape_ok or \
                    ours.shape != theirs.shape or not same_bits(ours, theirs):
                print(f"  {row['name']} ({row['dtype']}) differs")
                wrong += 1
    print(f"{path}: {len(index['tensors'])} tensors, {len(index['metadata'])} keys, {wrong} differ")
    return wrong + len(tensors)


def main():
    program, paths = sys.argv[1], sys.argv[2:]
    wrong = sum(compare(program, path) for path in paths)
    if not paths:
        with tempfile.TemporaryDirectory() as folder:
            for seed in range(3):
                path = f"{folder}/random{seed}.gguf"
                write_random(path, seed, list(gguf.GGML_QUANT_SIZES))
                wrong += compare(program, path)
    return 1 if wrong else 0


sys.exit(main())
