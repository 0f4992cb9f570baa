#!/usr/bin/env python3
"""The header tier: median wall time of a run, and whether LibTorch was mapped."""

import statistics

import measure

MODEL = "examples/models/bloom-tiny-bnb-nf4"


def main():
    options = measure.options(__doc__, rounds=30, peer=False)
    measure.describe_machine()
    command = [options.program, "run", "specs/bloom.lua", "--tier", "header", "--model", MODEL]
    (seconds,) = measure.in_turn(options.rounds, lambda: measure.timed(command)[0])
    (start,) = measure.in_turn(options.rounds, lambda: measure.timed(["/bin/true"])[0])
    opened = measure.timed(command, LD_DEBUG="files")[2]
    print(f"header tier, {options.rounds} runs: median {statistics.median(seconds) * 1000:.2f} ms, "
          f"best {min(seconds) * 1000:.2f} ms")
    print(f"of which starting any process: {statistics.median(start) * 1000:.2f} ms")
    print(f"LibTorch mapped: {'yes' if 'libtorch' in opened or 'libc10' in opened else 'no'}")


if __name__ == "__main__":
    main()
