#!/usr/bin/env python3
"""Writes engine/tensor/ggml_grids.cc: the grids of ggml's i-quants, as the package gguf has them.

An entry is 8 codes of 2 bits or 4 codes of 3 bits, each of the latter in 4; the first is lowest.
"""
import numpy
from gguf import quants

GRIDS = [("Iq2Xxs", quants.IQ2_XXS, 2), ("Iq2Xs", quants.IQ2_XS, 2), ("Iq2S", quants.IQ2_S, 2),
         ("Iq3Xxs", quants.IQ3_XXS, 4), ("Iq3S", quants.IQ3_S, 4), ("Iq1", quants.IQ1_S, 2)]


def entries(quant, bits):
    quant.init_grid()
    values = list(quant.grid_map)
    for row in quant.grid.reshape(quant.grid_shape):
        yield sum(values.index(int(value)) << bits * i for i, value in enumerate(row))


print("// Written by tests/support/ggml_grids.py.\n")
print('#include "engine/tensor/ggml_grids.h"\n\nnamespace qspec {\n\n// clang-format off')
for name, quant, bits in GRIDS:
    numbers = [f"0x{entry:04x}" for entry in entries(quant, bits)]
    assert numpy.prod(quant.grid_shape[:1]) == len(numbers)
    print(f"const uint16_t kGgmlGrid{name}[{len(numbers)}] = {{")
    for i in range(0, len(numbers), 12):
        print("  " + ", ".join(numbers[i:i + 12]) + ",")
    print("};\n")
print("// clang-format on\n\n}  // namespace qspec")
