#!/usr/bin/env python3
"""The footprints that follow from a configuration: what qspec counts for the models of the shipped
specs against transformers' own models, made without weights on the meta device.

    tests/parity/footprint_parity.py PROGRAM [MODEL...]

In full precision the number is get_memory_footprint(). For bitsandbytes it is that less the weights
that transformers' quantizer would replace, by its own rules of exclusion, plus what they become:
half a byte an element, or one.
"""

import json
import pathlib
import subprocess
import sys
import warnings

import torch
import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.pytorch_utils import Conv1D
from transformers.quantizers.auto import AutoHfQuantizer
from transformers.quantizers.quantizers_utils import should_convert_module

ROOT = pathlib.Path(__file__).resolve().parents[2]


def ours(program):
    done = subprocess.run([program, "lua", ROOT / "tests/parity/spec_footprints.lua"],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def upcast_kept(model, dtype):
    """What from_pretrained does and from_config does not: some modules stay in float32."""
    keys = list(model._keep_in_fp32_modules_strict or [])
    if dtype == torch.float16:
        keys += list(model._keep_in_fp32_modules or [])
    for name, parameter in model.named_parameters():
        if any(key in name.split(".") for key in keys):
            parameter.data = parameter.data.float()


def model_of(fields):
    fields = dict(fields)
    dtype = getattr(torch, fields.pop("dtype"))
    config = CONFIG_MAPPING[fields.pop("model_type")](**fields)
    seq2seq = transformers.AutoModelForSeq2SeqLM
    auto = seq2seq if config.is_encoder_decoder else transformers.AutoModelForCausalLM
    with torch.device("meta"):
        model = auto.from_config(config, dtype=dtype)
    model.tie_weights()
    upcast_kept(model, dtype)
    return model


def converted(model, bits):
    """The weights that bitsandbytes would replace."""
    config = transformers.BitsAndBytesConfig(load_in_4bit=bits == 4, load_in_8bit=bits == 8)
    quantizer = AutoHfQuantizer.from_config(config, pre_quantized=False)
    kept = quantizer.get_modules_to_not_convert(model, None, model._keep_in_fp32_modules)
    linears = (torch.nn.Linear, Conv1D)
    return [module.weight for name, module in model.named_modules()
            if type(module) in linears and should_convert_module(name, kept)]


def theirs(entry):
    """-> get_memory_footprint() in full precision and quantized, and how many weights were"""
    model = model_of(entry["config"])
    dense = quantized = model.get_memory_footprint()
    weights = converted(model, entry["bits"]) if entry["bits"] else []
    for weight in weights:
        elements = weight.numel()
        quantized += (elements + 1) // 2 if entry["bits"] == 4 else elements
        quantized -= elements * weight.element_size()
    return dense, quantized, len(weights)


def problem(entry):
    dense, quantized, count = theirs(entry)
    pairs = [("dense", dense)]
    if entry["bits"]:
        pairs += [("quantized", quantized), ("converted", count)]
    wrong = [f"{key} {entry[key]:,}, transformers {value:,}" for key, value in pairs
             if entry[key] != value]
    return ", ".join(wrong)


def main():
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    entries = [entry for entry in ours(sys.argv[1])
               if len(sys.argv) == 2 or entry["model"] in sys.argv[2:]]
    failed = 0
    for entry in entries:
        wrong = problem(entry)
        failed += bool(wrong)
        if wrong:
            print(f"{entry['spec']} {entry['model']}: {wrong}")
    print(f"{len(entries) - failed} of {len(entries)} footprints are those of transformers "
          f"{transformers.__version__}")
    return 1 if failed or not entries else 0


if __name__ == "__main__":
    sys.exit(main())
