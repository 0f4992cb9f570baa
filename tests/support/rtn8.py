"""Quantizes a dense checkpoint the way the format of stdlib/README.md has it: int8 rows.

    python3 tests/support/rtn8.py SOURCE TARGET [MODULE...]    the named modules stay dense
"""

import pathlib
import struct
import sys

from checkpoint_copy import Model
from safetensors_file import Tensor


def quantized(tensor):
    """-> codes int8 [rows, columns], scales float32 [rows, 1]"""
    rows, columns = tensor.shape
    codes, scales = bytearray(), []
    for row in range(rows):
        values = struct.unpack_from(f"<{columns}e", tensor.data, 2 * row * columns)
        scale = max(map(abs, values)) / 127 or 1.0
        scales.append(scale)
        codes += struct.pack(f"{columns}b", *(round(value / scale) for value in values))
    return (Tensor("I8", [rows, columns], bytes(codes)),
            Tensor("F32", [rows, 1], struct.pack(f"<{rows}f", *scales)))


def main():
    source, target, *dense = sys.argv[1:]
    model = Model(pathlib.Path(source), pathlib.Path(source))
    for name in list(model.tensors):
        module = name.removesuffix(".weight")
        is_linear = ".h." in name and name.endswith(".weight") and "layernorm" not in name
        if is_linear and module not in dense:
            model.tensors[name], model.tensors[module + ".row_scale"] = quantized(
                model.tensors[name])
    model.config["quantization_config"] = {"modules_to_not_convert": ["lm_head"],
                                           "quant_method": "rtn8"}
    model.save(pathlib.Path(target))


if __name__ == "__main__":
    main()
