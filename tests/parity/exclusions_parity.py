#!/usr/bin/env python3
"""Exclusion lists that qspec prints, against what the libraries leave out when they are given them.

    tests/parity/exclusions_parity.py PROGRAM          needs tests/parity/setup

Each library's own function decides on every linear module of a Qwen2 of twelve layers, so that names
of layer 1 begin like those of 10 and 11. llama-quantize searches for a regular expression in a
tensor's name; it has no Python, and its rule is written out here.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import torch
import transformers

try:
    from compressed_tensors.utils.match import is_match
    from gptqmodel.quantization.config import dynamic_get
    from hqq.models.base import name_to_linear_tag
except ImportError as missing:
    print(f"compressed-tensors, gptqmodel or hqq is not installed: {missing}")
    sys.exit(77)
from transformers.quantizers.quantizers_utils import should_convert_module

HERE = pathlib.Path(__file__).resolve().parent
LAYERS = 12
NAMES = ["model.layers.1.mlp.down_proj", "model.layers.1.self_attn.q_proj",
         "model.layers.10.mlp.down_proj", "model.layers.3.mlp.gate_proj"]
GGUF = {"model.layers.1.mlp.down_proj": "blk.1.ffn_down",
        "model.layers.1.self_attn.q_proj": "blk.1.attn_q",
        "model.layers.10.mlp.down_proj": "blk.10.ffn_down",
        "model.layers.3.mlp.gate_proj": "blk.3.ffn_gate"}
OTHER_GGUF = ["blk.11.ffn_down", "blk.10.attn_q", "blk.1.ffn_gate", "blk.13.ffn_gate"]
BY_NAME = {"bitsandbytes": "llm_int8_skip_modules"}
SKIP_LISTS = ["bitsandbytes", "awq", "quanto", "eetq", "fp8", "fbgemm_fp8", "higgs", "sinq",
              "fp_quant"]


def qwen2(folder):
    config = transformers.Qwen2Config(
        hidden_size=16, intermediate_size=32, num_hidden_layers=LAYERS, num_attention_heads=2,
        num_key_value_heads=1, vocab_size=64, tie_word_embeddings=False)
    model = transformers.Qwen2ForCausalLM(config)
    model.save_pretrained(folder)
    return {name: module for name, module in model.named_modules()
            if isinstance(module, torch.nn.Linear)}


def lists_of(program, folder):
    done = subprocess.run([program, "lua", HERE / "exclusion_lists.lua", folder, *NAMES],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def left_out(lists, linears):
    """By library, the linear modules that it leaves out."""
    found = {}
    for name in SKIP_LISTS:
        keys = lists[name]["config"][BY_NAME.get(name, "modules_to_not_convert")]
        found[name] = {n for n in linears if not should_convert_module(n, keys)}
    keys = lists["torchao"]["config"]["modules_to_not_convert"]  # compared with parameters
    found["torchao"] = {n for n in linears if not should_convert_module(n + ".weight", keys)}
    ignore = lists["compressed_tensors"]["config"]["ignore"]
    found["compressed_tensors"] = {n for n, m in linears.items() if is_match(n, m, ignore)}
    rules = lists["gptq"]["config"]["dynamic"]
    found["gptq"] = {n for n in linears if dynamic_get(rules, n) is False} | {"lm_head"}
    tags = lists["hqq"]["config"]["skip_modules"]
    found["hqq"] = {n for n in linears if name_to_linear_tag(n) in tags}
    return found


def gguf_problem(text):
    patterns = re.findall(r"--tensor-type '(\S+)=f16'", text)
    for name in list(GGUF.values()) + OTHER_GGUF:
        matches = any(re.search(pattern, name + ".weight") for pattern in patterns)
        if matches != (name in GGUF.values()):
            return f"gguf: {name} is {'matched' if matches else 'missed'} by {text}"
    return None


def main():
    with tempfile.TemporaryDirectory() as folder:
        linears = qwen2(folder)
        lists = lists_of(sys.argv[1], folder)
    problems = [gguf_problem(lists["gguf"]["text"])]
    for name, names in left_out(lists, linears).items():
        wanted = set(NAMES) | {"lm_head"}
        if name == "hqq":  # its tags have no layer
            wanted = {n for n in linears if n == "lm_head" or n.split(".", 3)[-1] in
                      {w.split(".", 3)[-1] for w in NAMES}}
        if names != wanted:
            problems.append(f"{name}: {sorted(names ^ wanted)}")
    problems = [problem for problem in problems if problem]
    print("\n".join(problems) or "every library leaves out what its list names")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
