#!/usr/bin/env python3
"""The dialects of quantization_config: what qspec says transformers would save of one, against what
transformers does save.

    tests/parity/config_parity.py PROGRAM [METHOD...]

For each method: its defaults, each field changed, each field left out, and a key that nobody knows;
AutoQuantizationConfig.from_dict(raw).to_dict() through JSON must equal what the format's fields make
of the same raw JSON. A case that transformers refuses is left out and counted.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import transformers
from transformers.quantizers.auto import AUTO_QUANTIZATION_CONFIG_MAPPING as CLASSES

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Arguments where a class has no default for them, and what makes sense to change.
MINIMAL = {"gptq": {"bits": 4}, "auto-round": {"bits": 4, "packing_format": "auto_round:auto_gptq"}}
CHANGES = {
    "gptq": [{"bits": 8, "group_size": -1, "desc_act": True, "sym": False},
             {"checkpoint_format": "gptq_v2"}, {"format": "gptq_v2"}, {"desc_act": True},
             {"use_exllama": False, "lm_head": False}, {"dynamic": {"-:.*gate.*": {}}},
             {"modules_in_block_to_quantize": [["q_proj"]]}, {"backend": "torch"}],
    "awq": [{"zero_point": False}, {"version": "gemv"}, {"group_size": -1},
            {"modules_to_not_convert": ["visual"]}, {"format": "gemm"}, {"version": "GEMM"},
            {"checkpoint_format": "gemv"}, {"backend": "autoawq"}, {"backend": "llm-awq"},
            {"do_fuse": True, "lm_head": False, "method": "awq"}],
    "bitsandbytes": [{"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, {"load_in_8bit": True},
                     {"_load_in_4bit": True, "load_in_4bit": True, "bnb_4bit_compute_dtype":
                      "bfloat16"}, {"load_in_8bit": True, "llm_int8_skip_modules": ["lm_head"]}],
    "fp8": [{"weight_block_size": None}, {"ignored_layers": ["lm_head"]}, {"scale_fmt": "ue8m0"},
            {"activation_scheme": "static"}, {"modules_to_not_convert": ["lm_head"]}],
    "fbgemm_fp8": [{"activation_scale_ub": 1000.0}, {"modules_to_not_convert": ["lm_head"]}],
    "mxfp4": [{"modules_to_not_convert": ["lm_head"]}, {"dequantize": True}],
    "bitnet": [{"linear_class": "autobitlinear", "quantization_mode": "online"}],
    "eetq": [{"weights": "int8"}, {"modules_to_not_convert": ["lm_head"]}],
    "aqlm": [{"num_codebooks": 2, "nbits_per_codebook": 8},
             {"linear_weights_not_to_quantize": ["lm_head.weight"]}],
    "higgs": [{"bits": 3}, {"group_size": 128}],
    "quanto": [{"weights": "int4"}, {"modules_to_not_convert": ["lm_head"]}],
    "spqr": [{"shapes": {"a.shape": 3}}],
    "vptq": [{"enable_proxy_error": True}],
    "fp_quant": [{"forward_dtype": "mxfp4"}, {"modules_to_not_convert": ["a"]}],
    "metal": [{"bits": 8, "group_size": 32}, {"dequantize": True}],
    "gemma": [{"num_bits": 2, "quantize_embeddings": True}],
    "auto-round": [{"sym": False, "group_size": 32, "extra_config": {"lm_head": {"bits": 16}}}],
}


# Left out, with the reason.
ELSEWHERE = {"compressed-tensors": "its schemes are compared by compressed_tensors_parity.py",
             "gguf": "a GGUF file stores no config: ours is made of its metadata"}


def saved(method, raw):
    """What transformers writes after reading `raw`, as JSON has it."""
    config = CLASSES[method].from_dict(dict(raw))
    return json.loads(json.dumps(config.to_dict(), default=str))


def cases_of(method):
    minimal = {"quant_method": method.removesuffix("_4bit").removesuffix("_8bit"),
               **MINIMAL.get(method, {})}
    defaults = saved(method, minimal)
    yield minimal
    yield defaults
    for change in CHANGES.get(method, []):
        yield {**minimal, **change}
        yield {**defaults, **change}
    for key in defaults:
        if key not in minimal:
            yield {name: value for name, value in defaults.items() if name != key}
    yield {**defaults, "nobody_knows_this_key": 1}


def ask(program, raws):
    with tempfile.TemporaryDirectory() as folder:
        cases, out = pathlib.Path(folder, "cases"), pathlib.Path(folder, "out")
        cases.write_text("".join(json.dumps(raw) + "\n" for raw in raws))
        subprocess.run([program, "lua", ROOT / "tests/parity/write_config.lua", cases, out],
                       check=True)
        return [json.loads(line) for line in out.read_text().splitlines()]


def differences(wanted, got):
    keys = wanted.keys() | got.keys()
    absent = "absent"
    return [f"{key}: {got.get(key, absent)!r}, transformers writes {wanted.get(key, absent)!r}"
            for key in sorted(keys) if got.get(key, absent) != wanted.get(key, absent)]


def compare(program, method):
    if method in ELSEWHERE:
        return None, ELSEWHERE[method]
    raws, wanted, refused = [], [], 0
    try:
        candidates = list(cases_of(method))
    except Exception as error:  # a class that needs its library to be constructed at all
        return None, f"transformers cannot make one here: {str(error).splitlines()[0][:80]}"
    for raw in candidates:
        try:
            wanted.append(saved(method, raw))
            raws.append(raw)
        except Exception:
            refused += 1
    failures = []
    for raw, expected, answer in zip(raws, wanted, ask(program, raws)):
        found = [answer["error"]] if "error" in answer else differences(expected, answer["written"])
        failures += [f"{json.dumps(raw)}\n      {line}" for line in found]
    return failures, f"{len(raws)} cases, {refused} that transformers refuses"


def main():
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    program, *methods = sys.argv[1:]
    failed = skipped = 0
    print(f"transformers {transformers.__version__}")
    for method in methods or sorted(CLASSES):
        failures, text = compare(program, method)
        skipped += failures is None
        failed += bool(failures)
        verdict = "skipped" if failures is None else "differs" if failures else "equal"
        print(f"{method:<20} {verdict:<8} {text}")
        for failure in (failures or [])[:6]:
            print("    " + failure)
    print(f"{failed} of {len(methods or CLASSES)} methods differ, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
