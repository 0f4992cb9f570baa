#!/usr/bin/env python3
"""Mutation scores of a folder of checkpoints, as a page.

    tests/mutants/scores.py FOLDER [--results DIR] > tests/mutants/scores.md

FOLDER holds NAME-tiny, the baselines, and NAME-tiny-KIND or NAME-tiny-KIND.gguf, what quantizers made
of them. Each is broken by every operator (qspec mutate) under the spec of its family; DIR keeps the
JSON of each, and what is there is not run again. A survivor without a reason below ends with exit
code 1.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]

NOISE = "under the noise of rounding in this format"
FREE = ("the quantizer lessens the error of what a layer computes, or rounds in a way of its own: "
        "how far its weights lie from the baseline is not known beforehand")

# Operator, pattern of "variant dose", pattern of the checkpoint's name, why nothing notices it.
REASONS = [
    ("scale_gain", r"x 1\.05 (block|group)$", r".", NOISE),
    ("scale_gain", r"x 1\.05", r"nf4dq$", "the outer scale multiplies what is left of an offset"),
    ("scale_gain", r"x 1\.05", r"gptq[23]$", NOISE + ": 5 % against 30 % and more"),
    ("scale_gain", r"/ 2 (block|group)$", r"gptq2$|awq$", NOISE),
    ("set_scale", r"previous module", r"gptq2$", NOISE),
    ("scale_transpose", r".", r"gptq2$", NOISE),
    ("scale_regroup", r".", r"gptq2$", NOISE),
    ("code_map", r"sign bit (block|group)$", r"gptq2$|gptq4asym$|awq$", NOISE),
    ("nibble_swap", r"(block|group)$", r"gptq4asym$", NOISE),
    ("value_cast", r"scales to bfloat16", r".", "bfloat16 keeps 8 bits of a scale: " + NOISE),
    ("requant", r".", r"gptq|ct-", FREE),
    ("half_smooth", r"x 1\.1 block$", r"awq$", "a factor that AWQ itself might have folded"),
    ("bias_damage", r"x 2", r"awq$", "a factor that AWQ itself might have folded"),
    ("config_field", r"bnb_4bit_compute_dtype", r".", "a setting: both values are allowed"),
    ("config_field", r"input_activations\.symmetric", r"w8a8$",
     "a setting: integers may have a zero point"),
]


def family_specs():
    """Specs by each family that they name."""
    specs = {}
    for path in sorted((ROOT / "specs").glob("*.lua")):
        head = re.search(r"^family\s+(\{[^}]*\}|\"[^\"]+\")", path.read_text(), re.M)
        for name in re.findall(r'"([^"]+)"', head.group(1)) if head else []:
            specs[name] = path
    return specs


def mutants_of(model, baseline, spec, kept):
    """The JSON of qspec mutate, from `kept` where it is there."""
    if not kept.exists() or kept.stat().st_size == 0:
        done = subprocess.run([ROOT / "qspec", "mutate", spec, "--model", model, "--baseline",
                               baseline, "--json"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{model}: {done.stderr}")
        kept.write_text(done.stdout)
    return json.loads(kept.read_text())["models"][0]["mutants"]


def reason_for(name, mutant):
    what = f"{mutant['variant']} {mutant['dose']}".strip()
    for operator, variants, checkpoints, reason in REASONS:
        if (operator == mutant["name"] and re.search(variants, what)
                and re.search(checkpoints, name)):
            return reason
    return None


def counted(mutants):
    count = collections.Counter(mutant["status"] for mutant in mutants)
    faults = len(mutants) - count["equivalent"]
    share = 100 * count["killed"] / faults if faults else 100
    return (f"{len(mutants)} | {count['killed']} | {count['survived'] + count['fault']} | "
            f"{count['equivalent']} | {share:.1f} %")


def print_tables(found):
    print("| checkpoint | mutants | killed | survived | equivalent | score |\n|---|--:|--:|--:|--:|--:|")
    for name, mutants in found.items():
        print(f"| {name} | {counted(mutants)} |")
    everything = [mutant for mutants in found.values() for mutant in mutants]
    print(f"| all | {counted(everything)} |\n")
    by_operator = collections.defaultdict(list)
    for mutant in everything:
        by_operator[f"{mutant['operator']} {mutant['name']}"].append(mutant)
    print("| operator | mutants | killed | survived | equivalent | score |\n|---|--:|--:|--:|--:|--:|")
    for name in sorted(by_operator):
        print(f"| {name} | {counted(by_operator[name])} |")


def print_survivors(found):
    """A line for all of one kind; how many have no reason."""
    kinds = collections.defaultdict(list)
    for name, mutants in found.items():
        for mutant in mutants:
            if mutant["status"] in ("survived", "fault"):
                what = " ".join(f"{mutant['operator']} {mutant['name']} {mutant['variant']} "
                                f"{mutant['dose']}".split())
                kinds[what, reason_for(name, mutant)].append(name)
    print("\n## Survivors\n")
    for (what, reason), names in sorted(kinds.items(), key=str):
        line = f"- **{what}**: {reason or 'NO REASON'}. {', '.join(names)}"
        print(textwrap.fill(line, 100, subsequent_indent="  ", break_on_hyphens=False,
                            break_long_words=False))
    return sum(reason is None for _, reason in kinds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--results", type=pathlib.Path)
    args = parser.parse_args()
    results = args.results or pathlib.Path(tempfile.mkdtemp())
    specs, found = family_specs(), {}
    for model in sorted(args.folder.glob("*-tiny-*")):
        baseline = args.folder / re.match(r".*?-tiny", model.name).group(0)
        family = json.loads((baseline / "config.json").read_text())["model_type"]
        found[model.name] = mutants_of(model, baseline, specs[family],
                                       results / f"{model.name}.json")
    print("# Mutation scores\n\nBy tests/mutants/scores.py, of small models of every format.\n")
    print_tables(found)
    return 1 if print_survivors(found) else 0


if __name__ == "__main__":
    sys.exit(main())
