#!/usr/bin/env python3
"""Decoding of a model of Llama-7B's shape in NF4 on a GPU, against transformers and bitsandbytes.

Makes the model in --folder unless it is there (4 GB, random weights). A decoded token is the time of
many less that of one, over their number; what the host does with each (its margin, its runner-up) is
in it. The share of a copy counts the weights that a step has to read, once, against what a copy in
the same run reads and writes in the same time.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import measure

PROMPT = 32
COPY = """
import torch
a = torch.empty(1 << 30, dtype=torch.uint8, device=0); b = torch.empty_like(a)
begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
for _ in range(3): b.copy_(a)
begin.record()
for _ in range(20): b.copy_(a)
end.record(); torch.cuda.synchronize()
print(torch.cuda.get_device_name(0), 2 * 20 * a.numel() / begin.elapsed_time(end) * 1e3)
"""


def options():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=measure.ROOT / ".qspec/build/release/qspec")
    parser.add_argument("--python", default=sys.executable,
                        help="a Python with torch, transformers and bitsandbytes")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/tmp/qspec-bench/nf4"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batches", default="1,8,32")
    parser.add_argument("--new", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-peer", action="store_true")
    return parser.parse_args()


def last_row(command):
    return json.loads(measure.timed(command)[1].strip().splitlines()[-1])


def read_bytes(folder):
    """Of the weights that a step reads: all but the rows of the embedding."""
    total = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    config = json.loads((folder / "config.json").read_text())
    return total - 2 * config["vocab_size"] * config["hidden_size"]


def copy_speed(chosen):
    done = subprocess.run([chosen.python, "-c", COPY], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"no GPU for torch\n{done.stderr}")
    name, speed = done.stdout.strip().rsplit(" ", 1)
    print(f"{name}, a copy moves {float(speed) / 1e9:.0f} GB/s")
    return float(speed)


def main():
    chosen = options()
    if not (chosen.folder / "config.json").exists():
        measure.timed([chosen.python, measure.HERE / "synthetic_llama.py", chosen.folder, "--nf4"])
    speed, size = copy_speed(chosen), read_bytes(chosen.folder)
    for batch in map(int, chosen.batches.split(",")):
        words = [batch, PROMPT, chosen.new, chosen.repeats]
        ours = last_row([chosen.program, "lua", measure.HERE / "gpu_decode.lua", chosen.folder,
                         chosen.device, *words])
        print(f"batch {batch}: qspec prefill {ours['prefill'] * 1e3:.1f} ms, "
              f"{batch / ours['token']:.0f} tokens/s, weights at "
              f"{size / ours['token'] / speed:.2f} of a copy, every run the same: {ours['same']}",
              flush=True)
        if chosen.no_peer:
            continue
        theirs = last_row([chosen.python, measure.HERE / "reference_gpu_decode.py", chosen.folder,
                           *words])
        equal = sum(a == b for a, b in zip(ours["ids"], theirs["ids"]))
        print(f"batch {batch}: peer prefill {theirs['prefill'] * 1e3:.1f} ms, "
              f"{batch / theirs['token']:.0f} tokens/s ({theirs['versions']}); ratio "
              f"{theirs['token'] / ours['token']:.1f}; {equal} of {len(theirs['ids'])} tokens equal",
              flush=True)


if __name__ == "__main__":
    main()
