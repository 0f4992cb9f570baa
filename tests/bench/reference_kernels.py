"""Seconds of each kernel on one matrix, as JSON, with bitsandbytes and torch on the CPU.

    python reference_kernels.py ROWS COLUMNS TIMES
"""

import json
import sys
import time

import torch
from bitsandbytes import functional


def seconds_of(f, times):
    """The best of several, after one that is not counted."""
    f()
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        f()
        best = min(best, time.perf_counter() - began)
    return best


def statistics_of(weight):
    values = weight.float()
    return [values.isnan().sum(), values.isinf().sum(), (values == 0).sum(), values.min(),
            values.max(), values.mean(), values.abs().max(), values.square().mean().sqrt()]


def comparison(packed, state, weight):
    decoded, reference = functional.dequantize_4bit(packed, state).float(), weight.float()
    error = decoded - reference
    signal = reference.square().sum()
    return [10 * torch.log10(signal / error.square().sum()),
            torch.nn.functional.cosine_similarity(decoded.flatten(), reference.flatten(), dim=0),
            error.abs().max()]


@torch.inference_mode()
def main():
    rows, columns, times = map(int, sys.argv[1:])
    count = rows * columns
    ramp = torch.arange(count, dtype=torch.float32)
    weight = ((ramp * 0.6180339887) % 1 - 0.5).to(torch.float16).reshape(rows, columns)
    packed, state = functional.quantize_4bit(weight, blocksize=64, quant_type="nf4")
    kernels = {
        "quantize": lambda: functional.quantize_4bit(weight, blocksize=64, quant_type="nf4"),
        "dequantize": lambda: functional.dequantize_4bit(packed, state),
        "statistics": lambda: statistics_of(weight),
        "compare": lambda: comparison(packed, state, weight),
    }
    print(json.dumps({name: seconds_of(kernel, times) for name, kernel in kernels.items()}))


if __name__ == "__main__":
    main()
