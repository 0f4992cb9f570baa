"""Which modules of each architecture a quantizer converts: qspec's census against transformers.

    tests/parity/linear_census_parity.py PROGRAM [CASE...]

For each case of architectures_cases.py the model is built without weights and transformers replaces
its linears for bitsandbytes, with its own list of what to leave alone, with an empty one and with
one of several kinds of keys. The names of what was replaced, the names, classes and shapes of all
modules and their bytes in memory must be those of qspec's census of the config alone. Exit status 1
when one is not. Needs tests/parity/setup.
"""

import argparse
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
from transformers import BitsAndBytesConfig, CONFIG_MAPPING
from transformers.integrations import replace_with_bnb_linear
from transformers.quantizers.base import HfQuantizer

from architectures_cases import CASES, UNRUN
from architectures_parity import class_of, folded, module_differences, modules_of

HERE = pathlib.Path(__file__).resolve().parent
LISTS = {"default": None, "empty": [], "keys": ["lm_head", "q_proj", r".*\.1\..*", "fc2", "wo"]}


def built(config):
    with torch.device("meta"):
        return class_of(config)(config)


def replaced(config, skip):
    model = built(config)
    keys = HfQuantizer.get_modules_to_not_convert(model, skip, model._keep_in_fp32_modules)
    replace_with_bnb_linear(model, keys, BitsAndBytesConfig(load_in_4bit=True))
    return {name for name, module in model.named_modules()
            if isinstance(module, bitsandbytes.nn.Linear4bit)}


def linears(modules):
    return sum(name in ("Linear", "Conv1D", "FalconLinear") for name, _, _ in modules.values())


def write(config, skip, folder):
    folder.mkdir()
    config.quantization_config = BitsAndBytesConfig(load_in_4bit=True,
                                                    llm_int8_skip_modules=skip).to_dict()
    config.save_pretrained(folder)


def bytes_of(config):
    model = built(config)
    model.tie_weights()
    return model.get_memory_footprint()


def differences(found, converted, modules, footprint):
    if "error" in found:
        yield found["error"]
        return
    asked = set(found["asked"])
    for name in sorted(asked - converted):
        yield f"{name} is asked for, and transformers leaves it alone"
    for name in sorted(converted - asked):
        yield f"{name} is not asked for, and transformers converts it"
    yield from module_differences(folded(found["modules"]), modules)
    if found["bytes"] != footprint:
        yield f"{found['bytes']} bytes in memory, wanted {footprint}"


def run(program, case, root):
    model_type, changes = {**CASES, **UNRUN}[case]
    folders, converted = {}, {}
    for name, skip in LISTS.items():
        config = CONFIG_MAPPING[model_type](**changes)
        converted[name] = replaced(config, skip)
        folders[name] = root / f"{case}-{name}"
        write(config, skip, folders[name])
    modules = modules_of(built(CONFIG_MAPPING[model_type](**changes)))
    footprint = bytes_of(CONFIG_MAPPING[model_type](**changes))
    subprocess.run([program, "lua", HERE / "linear_census.lua", *folders.values()], check=True)
    problems = [f"{name}: {problem}" for name, folder in folders.items()
                for problem in differences(json.loads((folder / "qspec.json").read_text()),
                                           converted[name], modules, footprint)]
    print(f"{case:20} {'ok' if not problems else 'FAIL':5} "
          f"{len(converted['default'])} of {linears(modules)} linears converted", flush=True)
    for problem in problems[:6]:
        print("    " + problem[:300], flush=True)
    return not problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as root:
        results = [run(arguments.program, case, pathlib.Path(root))
                   for case in arguments.cases or {**CASES, **UNRUN}]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed, 0 skipped")
    return not all(results)


if __name__ == "__main__":
    sys.exit(main())
