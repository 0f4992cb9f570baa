"""A T5 quantized by bitsandbytes, stored and on load, against transformers.

    tests/parity/quantized_t5_parity.py PROGRAM

A tiny gated T5 in fp16 and bf16, in nf4 and int8: `wo` stays dense, in fp32 where the model is
fp16; what qspec quantizes on load is what bitsandbytes stored; greedy ids, classes, dtypes and
footprint are transformers'. Of nf4, transformers multiplies by what bitsandbytes decodes, since its
CPU kernel rounds otherwise; int8 is run in fp16 alone, since on a CPU bitsandbytes keeps bf16 where
its CUDA kernels, which qspec follows, write fp16. Exit status 1 when something differs. Needs
tests/parity/setup.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import bitsandbytes
import torch
import transformers
from transformers import BitsAndBytesConfig, T5Config, T5ForConditionalGeneration

from architectures_cases import T5
from architectures_parity import NEW_TOKENS, START, randomized

HERE = pathlib.Path(__file__).resolve().parent
CONFIG = dict(T5, d_kv=16, d_ff=128, feed_forward_proj="gated-gelu", tie_word_embeddings=False)
CASES = [("float16", "nf4"), ("bfloat16", "nf4"), ("float16", "int8")]


def quantization(kind, dtype):
    if kind == "int8":
        return BitsAndBytesConfig(load_in_8bit=True), {"bits": 8}
    return (BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4",
                               bnb_4bit_compute_dtype=getattr(torch, dtype)),
            {"bits": 4, "type": "nf4", "compute_dtype": dtype})


def save(dtype, kind, folder):
    torch.manual_seed(0)
    model = randomized(T5ForConditionalGeneration(T5Config(**CONFIG)), "t5")
    model.to(getattr(torch, dtype)).save_pretrained(folder / "dense")
    config, options = quantization(kind, dtype)
    quantized = T5ForConditionalGeneration.from_pretrained(folder / "dense",
                                                           quantization_config=config)
    quantized.save_pretrained(folder)
    source = torch.randint(3, 199, (13,), generator=torch.Generator().manual_seed(1)).tolist()
    (folder / "prompt.json").write_text(json.dumps(
        {"source": source, "start": START, "options": options}))
    return source


def with_decoded_weights(model):
    """Linears of what bitsandbytes decodes in the place of its own."""
    for name, module in list(model.named_modules()):
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            weight = bitsandbytes.functional.dequantize_4bit(module.weight.data,
                                                             module.weight.quant_state)
            linear = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False,
                                     dtype=weight.dtype)
            linear.weight.data = weight
            model.set_submodule(name, linear)
    return model


def reference(folder, source):
    model = T5ForConditionalGeneration.from_pretrained(folder).eval()
    modules = {name: [type(module).__name__, str(module.weight.dtype).removeprefix("torch.")]
               for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    footprint = model.get_memory_footprint()
    ids = torch.tensor([source])
    with torch.no_grad():
        made = with_decoded_weights(model).generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=NEW_TOKENS,
            eos_token_id=None, decoder_start_token_id=START)
    return made[0].tolist(), modules, footprint


def differences(found, folder, source, kind):
    if "error" in found:
        yield found["error"]
        return
    ids, modules, footprint = reference(folder, source)
    for key in ("stored", "made"):
        if found[key] != ids:
            yield f"{key}: ids {found[key]}, wanted {ids}"
    for key in ("footprint", "footprint_made"):
        if found[key] != footprint:
            yield f"{key} {found[key]}, wanted {footprint}"
    for name in found["differing"]:
        yield f"{name} differs between the stored model and the one quantized on load"
    packed = {"nf4": "uint8", "int8": "int8"}[kind]
    for name, (class_name, dtype) in modules.items():
        held = [class_name, kind if dtype == packed else dtype]
        if found["modules"].get(name) != held:
            yield f"{name} is {found['modules'].get(name)}, wanted {held}"
    if found["facts"]:
        yield f"{found['facts']} facts contradict the config"


def run(program, dtype, kind):
    with tempfile.TemporaryDirectory() as root:
        folder = pathlib.Path(root)
        source = save(dtype, kind, folder)
        subprocess.run([program, "lua", HERE / "quantized_t5.lua", folder], check=True)
        found = json.loads((folder / "qspec.json").read_text())
        problems = list(differences(found, folder, source, kind))
    print(f"{dtype:9} {kind:5} {'ok' if not problems else 'FAIL'}", flush=True)
    for problem in problems[:6]:
        print("    " + problem[:300], flush=True)
    return not problems


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    results = [run(sys.argv[1], dtype, kind) for dtype, kind in CASES]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed, 0 skipped")
    return not all(results)


if __name__ == "__main__":
    sys.exit(main())
