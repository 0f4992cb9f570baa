#!/usr/bin/env python3
"""Genuine checkpoints that are not in the tree raise nothing: models of other sizes with weights of
other distributions, quantized by bitsandbytes, go through their family's spec.

    tests/parity/genuine_parity.py PROGRAM          needs tests/parity/setup

Weights have heavy tails (Student's t), columns 8 times the others, or rows of very different size: a
limit that fits trained weights of one model alone would call them faults.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

try:
    import bitsandbytes  # noqa: F401
    import torch
    import transformers
except ImportError as missing:
    print(f"bitsandbytes, torch or transformers is not installed: {missing}")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = {
    "bloom": (ROOT / "examples/models/bloom-tiny", {"hidden_size": 192, "n_layer": 2, "n_head": 6}),
    "qwen2": (ROOT / "tests/data/qwen2-tiny",
              {"hidden_size": 256, "intermediate_size": 640, "num_hidden_layers": 2,
               "num_attention_heads": 4, "num_key_value_heads": 2}),
}
METHODS = {
    "nf4": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
    "nf4 twice": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4",
                  "bnb_4bit_use_double_quant": True},
    "fp4": {"load_in_4bit": True, "bnb_4bit_quant_type": "fp4"},
    "int8": {"load_in_8bit": True},
}


def heavy_tails(shape, generator):
    square = torch.stack([torch.randn(shape, generator=generator) ** 2 for _ in range(5)]).mean(0)
    return torch.randn(shape, generator=generator) / square.sqrt()


def large_columns(shape, generator):
    values = torch.randn(shape, generator=generator)
    values[:, torch.randperm(shape[1], generator=generator)[:max(1, shape[1] // 128)]] *= 8
    return values


def uneven_rows(shape, generator):
    sizes = torch.exp(0.7 * torch.randn((shape[0], 1), generator=generator))
    return torch.randn(shape, generator=generator) * sizes


def make_baseline(source, sizes, draw, folder):
    config = transformers.AutoConfig.from_pretrained(source)
    for name, value in sizes.items():
        setattr(config, name, value)
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:config.num_hidden_layers]
    model = transformers.AutoModelForCausalLM.from_config(config)
    generator = torch.Generator().manual_seed(1)
    for module in model.base_model.modules():
        if isinstance(module, torch.nn.Linear):
            module.weight.data = 0.02 * draw(tuple(module.weight.shape), generator)
    model.to(config.dtype or torch.float16).save_pretrained(folder)
    copy_tokenizer(source, folder)


def copy_tokenizer(source, folder):
    for path in source.iterdir():
        if path.name.startswith("tokenizer") or path.name in {"chat_template.jinja", "vocab.json",
                                                              "special_tokens_map.json"}:
            shutil.copy(path, folder)


def quantize(baseline, method, folder):
    config = transformers.BitsAndBytesConfig(**METHODS[method])
    model = transformers.AutoModelForCausalLM.from_pretrained(
        baseline, quantization_config=config, device_map="cpu")
    model.save_pretrained(folder)
    copy_tokenizer(baseline, folder)


def check(program, family, draw, scratch):
    baseline, bad = scratch / "baseline", 0
    make_baseline(*MODELS[family], draw, baseline)
    for method in METHODS:
        model = scratch / method.replace(" ", "_")
        quantize(baseline, method, model)
        done = subprocess.run(
            [program, "run", ROOT / f"specs/{family}.lua", "--model", model, "--baseline", baseline,
             "--tier", "weights"], capture_output=True, text=True, cwd=ROOT)
        bad += done.returncode != 0
        print(f"{'not ok' if done.returncode else 'ok'} {family}, {draw.__name__}, {method}")
        if done.returncode:
            print(done.stdout + done.stderr)
    return bad


def main(program):
    bad = 0
    for family in MODELS:
        for draw in (heavy_tails, large_columns, uneven_rows):
            with tempfile.TemporaryDirectory() as scratch:
                bad += check(program, family, draw, pathlib.Path(scratch))
    return 1 if bad else 0


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    sys.exit(main(sys.argv[1]))
