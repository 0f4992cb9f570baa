#!/usr/bin/env python3
"""Writes the seeds of the fuzzer of GGUF files: gguf_seeds.py tests/fuzz/corpus/gguf

Small valid files made by the package gguf, every type of tensor and of metadata among them, and
damaged ones: cut short, counts and lengths at their limits, bytes changed.
"""
import pathlib
import random
import sys

import numpy
import gguf
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter


def valid(path, kinds, metadata=False, alignment=None):
    writer = GGUFWriter(path, "llama")
    if alignment:
        writer.add_custom_alignment(alignment)
    if metadata:
        for width in (8, 16, 32, 64):
            getattr(writer, f"add_uint{width}")(f"u{width}", 7)
            getattr(writer, f"add_int{width}")(f"i{width}", -7)
        writer.add_bool("bool", True)
        writer.add_float32("f32", 0.5)
        writer.add_float64("f64", 0.5)
        writer.add_array("strings", ["", "a", "bc"])
        writer.add_array("numbers", [1, 2, 3])
        writer.add_array("bools", [True, False])
        writer.add_array("floats", [1.5])
    for kind in kinds:
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        count = 4 if elements == 1 else 1
        writer.add_tensor(kind.name, numpy.zeros((2, count * size), dtype=numpy.uint8),
                          raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def number(value, size):
    return (value % 2 ** (8 * size)).to_bytes(size, "little")


def damaged(base):
    yield "version1", base[:4] + number(1, 4) + base[8:]
    yield "big_endian", base[:4] + b"\0\0\0\3" + base[8:]
    yield "old_magic", b"lmgg" + base[4:]
    yield "zip_magic", b"PK\3\4" + base[4:]
    for name, at in (("tensors", 8), ("keys", 16), ("key_length", 24)):
        for value in (0, 2 ** 20, 2 ** 63 - 1, 2 ** 64 - 1):
            yield f"{name}_{value:x}", base[:at] + number(value, 8) + base[at + 8:]
    for cut in (3, 20, 40, len(base) // 2, len(base) - 40):
        yield f"cut_{cut}", base[:cut]
    yield "longer", base + bytes(64)
    chance = random.Random(5)
    for i in range(40):
        bytes_ = bytearray(base)
        for _ in range(chance.choice((1, 1, 2, 8))):
            bytes_[chance.randrange(24, len(base))] = chance.choice((0, 1, 7, 9, 127, 128, 255))
        yield f"changed_{i}", bytes(bytes_)


def handmade():
    """Descriptions that the writer does not write."""
    def text(value):
        return number(len(value), 8) + value

    def file(pairs, tensors, data=64):
        head = b"GGUF" + number(3, 4) + number(len(tensors), 8) + number(len(pairs), 8)
        head += b"".join(pairs) + b"".join(tensors)
        return head + bytes(-len(head) % 32) + bytes(data)

    def tensor(name=b"a", dims=(8,), kind=0, offset=0):
        return text(name) + number(len(dims), 4) + b"".join(number(d, 8) for d in dims) \
            + number(kind, 4) + number(offset, 8)

    def alignment(kind, value, size):
        return text(b"general.alignment") + number(kind, 4) + number(value, size)

    def split(no, count, tensors, kind=2, size=2):
        keys = ("split.no", no), ("split.count", count), ("split.tensors.count", tensors)
        return [text(key.encode()) + number(kind, 4) + number(value, size)
                for key, value in keys if value is not None]

    yield "split_whole", file(split(0, 1, 1), [tensor()])
    yield "split_int32", file(split(0, 1, 1, 5, 4), [tensor()])
    yield "split_negative", file(split(0, 1, -1, 5, 4), [tensor()])
    yield "split_text", file(split(0, 1, 0, 8, 8), [tensor()])
    yield "split_no", file(split(1, 1, 1), [tensor()])
    yield "split_count", file(split(0, 2, 1), [tensor()])
    yield "split_tensors", file(split(0, 1, 2), [tensor()])
    yield "split_missing", file(split(0, None, 1), [tensor()])
    yield "scalar", file([], [tensor(dims=())], 4)
    yield "zero", file([], [tensor(dims=(8, 0))])
    yield "five", file([], [tensor(dims=(1,) * 5)])
    yield "huge", file([], [tensor(dims=(2 ** 63 - 1, 2))])
    yield "wide", file([], [tensor(dims=(2 ** 61,))])
    yield "removed", file([], [tensor(kind=4, dims=(32,))])
    yield "unknown", file([], [tensor(kind=99)])
    yield "odd_row", file([], [tensor(kind=2, dims=(16, 2))])
    yield "unaligned", file([], [tensor(offset=4)])
    yield "hole", file([], [tensor(offset=32)])
    yield "far", file([], [tensor(offset=2 ** 63)])
    yield "overlap", file([], [tensor(dims=(16,)), tensor(b"b", offset=32)], 96)
    yield "twice", file([], [tensor(), tensor(offset=32)])
    yield "no_name", file([], [tensor(b"")])
    yield "nul_name", file([], [tensor(b"a\0")])
    yield "long_name", file([], [tensor(b"n" * 5000)])
    yield "align_string", file([alignment(8, 0, 8)], [tensor()])
    yield "align_zero", file([alignment(4, 0, 4)], [tensor()])
    yield "align_three", file([alignment(4, 3, 4)], [tensor()])
    yield "align_wide", file([alignment(4, 2 ** 31, 4)], [tensor()])
    yield "nested", file([text(b"k") + number(9, 4) + number(9, 4) + number(2 ** 60, 8)], [tensor()])
    yield "many", file([text(b"k") + number(9, 4) + number(8, 4) + number(2 ** 30, 8)], [tensor()])
    yield "long_string", file([text(b"k") + number(8, 4) + number(2 ** 30, 8)], [tensor()])
    yield "long_in_list", file([text(b"k") + number(9, 4) + number(8, 4) + number(1, 8)
                                + number(2 ** 30, 8)], [tensor()])
    yield "bad_bool", file([text(b"k") + number(7, 4) + b"\7"], [tensor()])
    yield "bad_type", file([text(b"k") + number(13, 4) + b"\7"], [tensor()])
    yield "no_key", file([text(b"") + number(7, 4) + b"\1"], [tensor()])
    yield "odd_key", file([text(b"\xff") + number(7, 4) + b"\1"], [tensor()])
    yield "key_twice", file([text(b"k") + number(7, 4) + b"\1"] * 2, [tensor()])
    yield "early", file([], [tensor()])[:61]


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    kinds = list(gguf.GGML_QUANT_SIZES)
    valid(folder / "metadata", [Type.F32], metadata=True)
    valid(folder / "aligned", [Type.F32, Type.F16], alignment=64)
    for i in range(0, len(kinds), 7):
        valid(folder / f"types_{i}", kinds[i:i + 7])
    for name, content in damaged((folder / "metadata").read_bytes()):
        (folder / name).write_bytes(content)
    for name, content in handmade():
        (folder / name).write_bytes(content)


main()
