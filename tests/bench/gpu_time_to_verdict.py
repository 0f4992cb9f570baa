#!/usr/bin/env python3
"""From the command to the verdict of six checks on a model of Llama-7B's shape, on a GPU.

Makes the models in --folder unless they are there (18 GB, random weights), then runs qspec and a
script of transformers and bitsandbytes in turn: quantized on load to NF4, and stored as NF4. The
texts that the model may say are what qspec says of it in a first run, which is not counted.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

import gpu_cases
import measure


def options():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=measure.ROOT / ".qspec/build/release/qspec")
    parser.add_argument("--python", default=sys.executable,
                        help="a Python with torch, transformers and bitsandbytes")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/tmp/qspec-bench"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer-rounds", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="4 layers of 256, to try the script")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--parts", default="load,stored,numerics,cold")
    return parser.parse_args()


def models(chosen):
    for name, more in (("dense", []), ("nf4", ["--nf4"])):
        folder = chosen.folder / name
        if not (folder / "model.safetensors.index.json").exists():
            size = ["--small"] if chosen.small else []
            seconds, _, _ = measure.timed([chosen.python, measure.HERE / "synthetic_llama.py",
                                           folder, *size, *more])
            print(f"made {folder} in {seconds:.1f} s", flush=True)
    return chosen.folder / "dense", chosen.folder / "nf4"


def qspec(chosen, spec, *more, accepted=(0,)):
    return measure.timed([chosen.program, "run", spec, "--device", chosen.device, "--timing", *more],
                         accepted)


def said(chosen, name, folder, quantize):
    """What the model says, from a run that accepts anything: a spec with texts of its own."""
    path = chosen.folder / f"{name}-first.lua"
    path.write_text(gpu_cases.spec(name, folder, quantize, texts=["?"]))
    report = chosen.folder / f"{name}-first.json"
    qspec(chosen, path, "--report", f"json={report}", accepted=(0, 1))
    found = {}

    def collect(node):
        if isinstance(node, dict):
            if node.get("key") in gpu_cases.PROMPTS and "found" in node:
                found[node["key"]] = node["found"]
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    collect(json.loads(report.read_text()))
    return [found[prompt] for prompt in gpu_cases.PROMPTS if prompt in found]


def peer(chosen, folder, quantize):
    command = [chosen.python, measure.HERE / "reference_gpu_checks.py", folder]
    seconds, output, _ = measure.timed(command + (["--quantize"] if quantize else []))
    return seconds, json.loads(output.strip().splitlines()[-1])


def verdict(chosen, name, folder, quantize):
    texts = said(chosen, name, folder, quantize)
    path = chosen.folder / f"{name}.lua"
    path.write_text(gpu_cases.spec(name, folder, quantize, texts=texts))
    ours, theirs, record, timing = [], [], {}, ""
    for index in range(chosen.rounds):
        seconds, _, timing = qspec(chosen, path)
        ours.append(seconds)
        if index < chosen.peer_rounds:
            seconds, record = peer(chosen, folder, quantize)
            theirs.append(seconds)
    print(f"{name}: qspec {statistics.median(ours):.3f} s {[round(s, 3) for s in ours]}")
    print(timing)
    if theirs:
        same = sum(a == b for a, b in zip(texts, record["texts"]))
        print(f"{name}: peer {statistics.median(theirs):.2f} s {record['phases']} "
              f"{record['versions']}; {same} of {len(texts)} texts equal; ratio "
              f"{statistics.median(theirs) / statistics.median(ours):.1f}", flush=True)


def numerics(chosen, dense, nf4):
    path = chosen.folder / "numerics.lua"
    path.write_text(gpu_cases.spec("numerics", nf4, False, numerics=dense))
    stored = sum(file.stat().st_size for folder in (dense, nf4)
                 for file in folder.glob("*.safetensors"))
    for _ in range(chosen.rounds):
        seconds, _, timing = qspec(chosen, path, "--only", "numerics")
        print(f"numerics of all modules: {seconds:.3f} s, of {stored / 1e9:.2f} GB")
    print(timing, flush=True)


def drop_from_cache(folder):
    for path in folder.glob("*.safetensors"):
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def dd_seconds(folder):
    total = 0.0
    for path in sorted(folder.glob("*.safetensors")):
        total += measure.timed(["dd", f"if={path}", "of=/dev/null", "bs=8M", "iflag=direct"])[0]
    return total


def cold(chosen, dense):
    drop_from_cache(dense)
    seconds, _, timing = qspec(chosen, chosen.folder / "load.lua")
    print(f"cold: qspec {seconds:.3f} s\n{timing}", flush=True)
    drop_from_cache(dense)
    print(f"dd at direct I/O {dd_seconds(dense):.3f} s", flush=True)


def main():
    chosen = options()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    dense, nf4 = models(chosen)
    parts = chosen.parts.split(",")
    if "load" in parts:
        verdict(chosen, "load", dense, quantize=True)
    if "stored" in parts:
        verdict(chosen, "stored", nf4, quantize=False)
    if "numerics" in parts:
        numerics(chosen, dense, nf4)
    if "cold" in parts:
        cold(chosen, dense)


if __name__ == "__main__":
    main()
