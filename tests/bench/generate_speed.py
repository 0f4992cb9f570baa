#!/usr/bin/env python3
"""Prefill and decoding of small models on the CPU, against transformers' generate.

    tests/bench/generate_speed.py [--rounds N] [FOLDER...]

Randomly initialised models of LLaMA's shape, of 1 and of 100 million parameters in fp32 and bf16, and
the model in each FOLDER; 1 and 8 sequences of 64 tokens. Both sides load once a round and say the
median of some runs. Seconds are of the whole batch.
"""

import json
import pathlib
import sys
import tempfile

import measure

PROMPT, NEW = 64, 16
SHAPES = {
    "llama 1M": dict(vocab_size=1472, hidden_size=128, intermediate_size=352, num_hidden_layers=4,
                     num_attention_heads=4),
    "llama 100M": dict(vocab_size=32000, hidden_size=768, intermediate_size=2048,
                       num_hidden_layers=12, num_attention_heads=12, tie_word_embeddings=True),
}
MAKE = """
import json, sys, torch, transformers
torch.manual_seed(0)
model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**json.loads(sys.argv[1])))
model.to(getattr(torch, sys.argv[2])).save_pretrained(sys.argv[3])
"""


def make_models(options, folder):
    for name, shape in SHAPES.items():
        for dtype in ("float32", "bfloat16"):
            path = pathlib.Path(folder, f"{name} {dtype}".replace(" ", "-"))
            measure.timed([options.python, "-c", MAKE, json.dumps(shape), dtype, path])
            yield f"{name} {dtype}", path


def measured(options, path, batch):
    words = [path, batch, PROMPT, NEW, 5]

    def side(command):
        return lambda: json.loads(measure.timed([*command, *words])[1].strip().split("\n")[-1])

    return measure.in_turn(options.rounds,
                           side([options.program, "lua", measure.HERE / "generate_speed.lua"]),
                           side([options.python, measure.HERE / "reference_generate.py"]))


def main():
    folders = [word for word in sys.argv[1:] if pathlib.Path(word).is_dir()]
    sys.argv = [word for word in sys.argv if word not in folders]
    options = measure.options(__doc__, rounds=3)
    measure.describe_machine()
    measure.print_versions(options)
    with tempfile.TemporaryDirectory() as folder:
        models = [(pathlib.Path(name).name, name) for name in folders]
        for name, path in models or make_models(options, folder):
            for batch in (1, 8):
                ours, theirs = measured(options, path, batch)
                measure.print_rows([(f"{name}, {batch} x {what}", [row[what] for row in ours],
                                     [row[what] for row in theirs])
                                    for what in ("prefill", "token")])


if __name__ == "__main__":
    main()
