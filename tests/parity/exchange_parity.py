#!/usr/bin/env python3
"""A model with modules of another: qspec sensitivity and the errors of modules against transformers,
in which the same weights are exchanged by hand.

    tests/parity/exchange_parity.py PROGRAM          needs tests/parity/setup

bloom-tiny with one module at a time of bloom-tiny-bnb-nf4, on a window of tests/data/held_out.txt.
Both sides run the same kernels on weights that bitsandbytes decoded, so that the divergences agree
but for the last digits of sums. The added error is that of the module's output on the baseline's input.
"""

import json
import math
import os
import pathlib
import subprocess
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASELINE = ROOT / "examples/models/bloom-tiny"
MODEL = ROOT / "examples/models/bloom-tiny-bnb-nf4"
TEXT = ROOT / "tests/data/held_out.txt"
TOKENS = 128  # one window
BOUND = 1e-6
BOUND_DB = 1e-3


def logits(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0, :-1].double().log_softmax(-1)


def mean_kl(p, q):
    return float((p.exp() * (p - q)).sum(-1).mean())


def sqnr_db(found, wanted):
    wanted = wanted.double()
    return 10 * math.log10(float(wanted.square().sum() / (wanted - found.double()).square().sum()))


def input_and_output(model, module, ids):
    kept = {}
    handle = module.register_forward_hook(lambda _, given, made: kept.update(x=given[0], y=made))
    logits(model, ids)
    handle.remove()
    return kept["x"], kept["y"]


def wanted():
    """By module: the mean divergence with it exchanged, and the SQNR of its output."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(BASELINE)
    ids = tokenizer(TEXT.read_text())["input_ids"][:TOKENS]
    baseline = transformers.AutoModelForCausalLM.from_pretrained(BASELINE).eval()
    quantized = transformers.AutoModelForCausalLM.from_pretrained(MODEL).eval().dequantize()
    reference, found = logits(baseline, ids), {}
    for name, module in baseline.named_modules():
        if not isinstance(module, torch.nn.Linear) or name == "lm_head":
            continue
        x, y = input_and_output(baseline, module, ids)
        weight, module.weight = module.weight, quantized.get_submodule(name).weight
        with torch.no_grad():
            added = sqnr_db(torch.nn.functional.linear(x, module.weight, module.bias),
                            torch.nn.functional.linear(x, weight, module.bias))
        found[name] = mean_kl(reference, logits(baseline, ids)), added
        module.weight = weight
    return found


def measured(program):
    done = subprocess.run([program, "sensitivity", MODEL, "--baseline", BASELINE, "--text", TEXT,
                           "--tokens", str(TOKENS), "--json"], capture_output=True, text=True,
                          check=True)
    return {row["module"]: (row["values"]["kl.mean"], row["added_db"])
            for row in json.loads(done.stdout)["modules"]}


def main():
    expected, found = wanted(), measured(sys.argv[1])
    if expected.keys() != found.keys():
        print("modules:", sorted(expected.keys() ^ found.keys()))
        return 1
    failed = 0
    for name, (kl, added) in expected.items():
        if abs(found[name][0] - kl) > BOUND or abs(found[name][1] - added) > BOUND_DB:
            print(f"{name}: kl {found[name][0]:.9f} and {found[name][1]:.4f} dB, "
                  f"wanted {kl:.9f} and {added:.4f} dB")
            failed += 1
    print(f"{len(expected) - failed} of {len(expected)} modules agree")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
