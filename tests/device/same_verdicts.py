#!/usr/bin/env python3
"""What a GPU says of the models that ship, against what the CPU says: verdicts, findings, figures.

    same_verdicts.py [--program FILE] [--device cuda]

Runs specs/bloom.lua on both and compares the reports: statuses and findings are equal, figures
within a relative 1e-5. Ends with exit code 1 where they are not.
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOLERANCE = 1e-5
DIFFERS = {"seconds", "device", "device_reason", "started", "provenance", "command"}


def report(options, device, path):
    done = subprocess.run([options.program, "run", ROOT / "specs/bloom.lua", "--device", device,
                           "--only", "tiny*", "--report", f"json={path}"],
                          capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"on {device}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(path.read_text())


def differences(a, b, where=""):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted((a.keys() | b.keys()) - DIFFERS):
            if key not in a or key not in b:
                yield f"{where}.{key} is on one side only"
            else:
                yield from differences(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, f"{where}[{index}]")
    elif isinstance(a, float) or isinstance(b, float):
        if not math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            yield f"{where}: {a} against {b}"
    elif a != b:
        yield f"{where}: {a!r} against {b!r}"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / ".qspec/build/release/qspec")
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sides = [report(options, device, pathlib.Path(folder) / f"{index}.json")
                 for index, device in enumerate(("cpu", options.device))]
    found = list(differences(*sides))
    print("\n".join(found[:40]) if found else f"{options.device} says what the CPU says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
