"""What the benchmarks share: runs in turn, medians, and a table of both sides."""

import argparse
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent


def options(description, rounds, peer=True):
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / ".qspec/build/release/qspec")
    parser.add_argument("--rounds", type=int, default=rounds, help=f"default {rounds}")
    if peer:
        parser.add_argument("--python", default=ROOT / ".qspec/bench/bin/python",
                            help="a Python with the libraries of requirements.txt")
    return parser.parse_args()


def timed(command, accepted=(0,), **environment):
    """-> (seconds, stdout, stderr); a command that fails ends the benchmark"""
    began = time.perf_counter()
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, "HF_HUB_OFFLINE": "1", **environment})
    seconds = time.perf_counter() - began
    if done.returncode not in accepted:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
                 f"exit code {done.returncode}")
    return seconds, done.stdout, done.stderr


def in_turn(rounds, *sides):
    """Calls each side once a round, after one round that is not counted; -> a list a side."""
    results = [[] for _ in sides]
    for index in range(rounds + 1):
        for side, collected in zip(sides, results):
            value = side()
            if index:
                collected.append(value)
    return results


def describe_machine():
    models = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if "model name" in line]
    print(f"{models[0] if models else platform.machine()}, {os.cpu_count()} processors")


def print_versions(options):
    script = ("import torch, transformers, bitsandbytes as b; print('torch', torch.__version__, "
              "'transformers', transformers.__version__, 'bitsandbytes', b.__version__)")
    print(timed([options.program, "--version"])[1].strip(), "against",
          timed([options.python, "-c", script])[1].strip())


def print_rows(rows):
    """rows: (what, qspec's seconds, the peer's seconds), each a list of which the median counts"""
    print(f"{'':<34}{'qspec':>12}{'peer':>12}{'ratio':>9}")
    for what, ours, theirs in rows:
        a, b = statistics.median(ours), statistics.median(theirs)
        print(f"{what:<34}{a * 1000:>9.2f} ms{b * 1000:>9.2f} ms{b / a:>8.1f}x")
