#!/usr/bin/env python3
"""Quantize, dequantize, statistics and comparison of one 4096 x 11008 float16 matrix, in nf4."""

import json

import measure

ROWS, COLUMNS, TIMES = 4096, 11008, 5
KERNELS = {
    "quantize": "quantize to nf4",
    "dequantize": "dequantize to float16",
    "statistics": "statistics of the float16 matrix",
    "compare": "compare nf4 with the original",
}


def main():
    options = measure.options(__doc__, rounds=3)
    measure.describe_machine()
    measure.print_versions(options)
    sizes = [ROWS, COLUMNS, TIMES]
    ours, theirs = measure.in_turn(
        options.rounds,
        lambda: json.loads(measure.timed(
            [options.program, "lua", measure.HERE / "kernel_speed.lua", *sizes])[1]),
        lambda: json.loads(measure.timed(
            [options.python, measure.HERE / "reference_kernels.py", *sizes])[1]))
    measure.print_rows([(title, [run[kernel] for run in ours], [run[kernel] for run in theirs])
                        for kernel, title in KERNELS.items()])


if __name__ == "__main__":
    main()
