#!/usr/bin/env python3
"""Decoding one 4096 x 11008 weight of every format from its stored tensors, by qspec and by the
library that the format comes from, beside a plain move of the same bytes.

    decode_speed.py [--rounds N] [--python FILE] [FORMAT...]

ggml's types are those of the format gguf. Run it with a Python that has the libraries of the parity
tests: .qspec/parity/bin/python (tests/parity/setup).
"""

import argparse
import importlib.metadata
import json
import pathlib
import statistics
import tempfile
import time

import torch
from safetensors.torch import save_file

import measure
from decode_cases import CASES

TIMES = 3  # decodings a round


def seconds_of(action):
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def write_blocks(case, path):
    from gguf import GGMLQuantizationType, GGUFWriter
    writer = GGUFWriter(path, "llama")
    writer.add_tensor("weight", case.tensors["weight"].numpy(),
                      raw_dtype=GGMLQuantizationType[case.what])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write(case, folder):
    """-> what decode_speed.lua takes"""
    if case.config is None:
        return write_blocks(case, folder / "blocks.gguf")
    separator = "" if case.kind == "experts" else "."
    tensors = {f"{case.name}{separator}{suffix}": value.detach().contiguous().clone()
               for suffix, value in case.tensors.items()}
    # The last parameter of a model is often not quantized: it must not be the one that is.
    tensors["lm_head.weight"] = torch.zeros(1, 1, dtype=torch.bfloat16)
    modules = [{"name": case.name, "shape": case.shape, "kind": case.kind,
                "class": case.module_class}, {"name": "lm_head", "shape": [1, 1]}]
    config = {"dtype": str(case.dtype).split(".")[1], "quantization_config": case.config}
    (folder / "config.json").write_text(json.dumps(config, default=str))
    (folder / "modules.json").write_text(json.dumps(modules))
    save_file(tensors, folder / "model.safetensors", case.metadata)
    return folder


def stored_bytes(case):
    return sum(value.numel() * value.element_size() for value in case.tensors.values())


class Move:
    """Reads and writes as many bytes as decoding does, half of them each."""

    def __init__(self, size):
        self.source = torch.ones(size // 2, dtype=torch.uint8)
        self.target = torch.zeros_like(self.source)

    def __call__(self):
        return min(seconds_of(lambda: self.target.copy_(self.source)) for _ in range(TIMES))


def in_turn(options, case, path):
    """-> lists of seconds of qspec, of the move and of the library"""
    dtype = str(case.dtype).split(".")[1]
    values = case.shape[-2] * case.shape[-1]
    size = stored_bytes(case) + values * case.dtype.itemsize
    sides = [lambda: min(json.loads(measure.timed(
        [options.program, "lua", measure.HERE / "decode_speed.lua", path, dtype, TIMES])[1])),
        Move(size)]
    if case.dequantize:
        sides.append(lambda: min(seconds_of(case.dequantize) for _ in range(TIMES)))
    with torch.inference_mode():
        return size, measure.in_turn(options.rounds, *sides)


def peer_text(case, ours, theirs):
    if not theirs:
        return case.library
    version = importlib.metadata.version(case.library)
    return (f"{case.library} {version} {theirs * 1000:.1f} ms, "
            f"{theirs / ours:.1f} times as long")


def report(options, name, case):
    with tempfile.TemporaryDirectory() as scratch:
        size, results = in_turn(options, case, write(case, pathlib.Path(scratch)))
    ours, move, *theirs = [statistics.median(seconds) for seconds in results]
    print(f"{name + ', ' + case.what:<36}{str(case.dtype).split('.')[1]:>9}{ours * 1000:>9.2f} ms"
          f"{size / ours / 1e9:>7.1f} GB/s{100 * move / ours:>6.0f} %   "
          f"{peer_text(case, ours, theirs[0] if theirs else None)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=measure.ROOT / ".qspec/build/release/qspec")
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("formats", nargs="*", metavar="FORMAT")
    options = parser.parse_args()
    measure.describe_machine()
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}; share: of the speed of "
          "a move of the same bytes")
    listed = measure.timed([options.program, "list", "formats"])[1].split("\n")[1:]
    for name in options.formats or [line.split()[0] for line in listed if line.strip()]:
        if name not in CASES:
            print(f"{name:<36}no case: not decoded, or no tensors of it can be made here")
            continue
        for case in CASES[name](torch.Generator().manual_seed(1)):
            report(options, name, case)


if __name__ == "__main__":
    main()
