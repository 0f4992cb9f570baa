"""Runs of qspec against transformers, on tiny random models of each architecture.

    tests/parity/architectures_parity.py PROGRAM [--dtypes float32,float16,bfloat16] [CASE...]

For each case of architectures_cases.py and each dtype: the greedy ids, with a key-value cache, must
be equal, of one prompt, and of a batch with a shorter one that ends at either of the two ends of
text in generation_config.json; no logit of the prompt may differ by more than BOUND of the largest;
names, classes and shapes of all modules and the footprint must be those of transformers, and no
tensor may be left over. Exit status 1 when something is not. Needs tests/parity/setup.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as DECODERS,
    MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES as ENCODER_DECODERS)

from architectures_cases import CASES, PICKLED, SHARDS, UNDER_OTHER_NAME

HERE = pathlib.Path(__file__).resolve().parent
PROMPT_LENGTH = 13
SHORTER = 6  # the length of the prompt that is padded in a batch
PAD = 0
NEW_TOKENS = 10
START = 0  # of the outputs of encoder-decoders
# Share of the largest logit. Kernels are the same ones; what differs is the order of some sums.
BOUND = {"float32": 1e-5, "float16": 1e-2, "bfloat16": 5e-2}
# UMT5's decoder sees ahead in a prompt of several tokens: transformers 5.17 makes no mask there and
# leaves is_causal false. With attn_implementation="eager" it does not see ahead.
SEES_AHEAD = {"umt5"}
# Models whose norms store the distance from 1.
AROUND_ZERO = {"gemma", "gemma2", "gemma3_text", "nemotron", "vaultgemma"}


def randomized(model, model_type):
    centre = 0.0 if model_type in AROUND_ZERO else 1.0
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn_like(parameter)
            is_norm = parameter.dim() == 1 and name.endswith("weight")
            parameter.copy_(centre + 0.3 * noise if is_norm and ("norm" in name or "ln" in name)
                            else noise * (0.25 if parameter.dim() > 1 else 0.2))
        for name, buffer in model.named_buffers():
            if "e_score" in name:
                buffer.copy_(torch.randn_like(buffer) * 0.1)
    return model


def class_of(config):
    names = ENCODER_DECODERS if config.is_encoder_decoder else DECODERS
    return getattr(transformers, names[config.model_type])


def store(case, model, folder):
    if case in SHARDS:
        model.save_pretrained(folder, max_shard_size=SHARDS[case])
        return
    model.save_pretrained(folder)
    file = folder / "model.safetensors"
    if case in PICKLED:
        file.unlink()
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    elif case in UNDER_OTHER_NAME:
        usual, other = UNDER_OTHER_NAME[case]
        tensors = load_file(file)
        tensors[other] = tensors.pop(usual)
        save_file(tensors, file, metadata={"format": "pt"})


def padded(ids):
    """A batch of the prompt and of its last tokens, padded on the left, and its mask."""
    rows = torch.tensor([ids, [PAD] * (len(ids) - SHORTER) + ids[-SHORTER:]])
    mask = torch.ones_like(rows)
    mask[1, :len(ids) - SHORTER] = 0
    return rows, mask


def generate(model, ids, mask, ends, **more):
    model.generation_config.eos_token_id = ends
    with torch.no_grad():
        return model.generate(ids, attention_mask=mask, do_sample=False, pad_token_id=PAD,
                              max_new_tokens=NEW_TOKENS, **more)


def save_ends(model, ids, folder):
    """Two ends of text that the batch runs into: one early, one late."""
    rows, mask = padded(ids)
    made = generate(model.eval(), rows, mask, None)[:, len(ids):].tolist()
    ends = {"eos_token_id": [made[0][6], made[1][3]], "pad_token_id": PAD}
    (folder / "generation_config.json").write_text(json.dumps(ends))


def save(case, dtype, folder):
    model_type, changes = CASES[case]
    torch.manual_seed(0)
    config = CONFIG_MAPPING[model_type](**changes)
    model = randomized(class_of(config)(config), model_type).to(getattr(torch, dtype))
    store(case, model, folder)
    ids = torch.randint(3, 199, (PROMPT_LENGTH,), generator=torch.Generator().manual_seed(1))
    prompt = {"ids": ids.tolist()}
    if config.is_encoder_decoder:
        # The decoder's own prompt: its start, and some tokens that it is taken to have written.
        written = [] if model_type in SEES_AHEAD else ids[:6].tolist()
        prompt = {"source": ids.tolist(), "ids": [START, *written], "start": START}
    else:
        save_ends(model, ids.tolist(), folder)
        prompt["batch"] = [ids.tolist(), ids.tolist()[-SHORTER:]]
    (folder / "prompt.json").write_text(json.dumps(prompt))


def modules_of(model):
    found = {}
    for name, module in model.named_modules():
        parameters = {n: list(p.shape) for n, p in module.named_parameters(recurse=False)}
        stored = module.state_dict(keep_vars=True)
        buffers = {n: list(b.shape) for n, b in module.named_buffers(recurse=False)}
        for key in list(buffers):
            if key in stored:
                parameters[key] = buffers.pop(key)
        if parameters or buffers:
            found[name] = (type(module).__name__, parameters, buffers)
    return found


def reference_batch(model, ids, ends):
    """The rows of a batch without padding, each up to its end of text."""
    rows, mask = padded(ids)
    found = []
    for row, seen in zip(generate(model, rows, mask, ends).tolist(), mask.tolist()):
        made = row[len(ids):]
        count = next((i + 1 for i, token in enumerate(made) if token in ends), len(made))
        found.append([token for token, kept in zip(row, seen) if kept] + made[:count])
    return found


def reference(folder):
    config = transformers.AutoConfig.from_pretrained(folder)
    model = class_of(config).from_pretrained(folder).eval()
    # Before it runs: some rotary modules change their buffers when they are used.
    modules, footprint = modules_of(model), model.get_memory_footprint()
    prompt = json.loads((folder / "prompt.json").read_text())
    ids = torch.tensor([prompt.get("source", prompt["ids"])])
    start, ends = {}, model.generation_config.eos_token_id
    with torch.no_grad():
        if "source" in prompt:
            start = {"decoder_start_token_id": prompt["start"]}
            output = model(ids, decoder_input_ids=torch.tensor([prompt["ids"]]))
        else:
            output = model(ids)
    made = generate(model, ids, torch.ones_like(ids), None, **start)[0].tolist()
    batch = reference_batch(model, prompt["ids"], ends) if "batch" in prompt else []
    return output.logits[0].float(), made, batch, modules, footprint


def folded(modules):
    """A parameter that qspec lists as a module is one of the module that transformers has."""
    found = {}
    for module in modules:
        name, parameters = module["name"], module["parameters"] or {}
        if module["kind"] in ("experts", "parameter"):
            name, _, parameter = name.rpartition(".")
            parameters = {parameter: parameters.get("weight")}
            if module["kind"] == "parameter" and name in found:
                module["class"] = found[name][0]
        buffers = module["buffers"] or {}
        known = found.get(name)
        if known:
            class_name = module["class"] if known[0] == "Parameter" else known[0]
            found[name] = (class_name, {**known[1], **parameters}, {**known[2], **buffers})
        else:
            found[name] = (module["class"], parameters, buffers)
    return found


def module_differences(found, wanted):
    for name in sorted(set(found) | set(wanted)):
        if name not in found:
            yield f"no module {name}: {wanted[name]}"
        elif name not in wanted:
            yield f"module {name} is not transformers': {found[name]}"
        elif found[name] != wanted[name] and not (
                found[name][0] == "Parameter" and found[name][1:] == wanted[name][1:]):
            yield f"{name} is {found[name]}, wanted {wanted[name]}"


def differences(found, folder, dtype):
    if "error" in found:
        yield found["error"]
        return
    logits, ids, batch, modules, footprint = reference(folder)
    share = (torch.tensor(found["logits"]) - logits).abs().max() / logits.abs().max()
    found["share"] = float(share)
    if found["ids"] != ids:
        yield f"ids {found['ids'][-NEW_TOKENS:]}, wanted {ids[-NEW_TOKENS:]}"
    for row, wanted in zip(found["batch"], batch, strict=True):
        if row != wanted:
            yield f"in a batch {row[-NEW_TOKENS:]}, wanted {wanted[-NEW_TOKENS:]}"
    if not share <= BOUND[dtype]:
        yield f"logits differ by {share:.2e} of the largest"
    yield from module_differences(folded(found["modules"]), modules)
    for key in ("footprint", "computed"):
        if found[key] != footprint:
            yield f"{key} {found[key]}, wanted {footprint}"
    yield from found["facts"]


def report(case, dtype, folder):
    found = json.loads((folder / "qspec.json").read_text())
    problems = list(differences(found, folder, dtype))
    exact = "exact" if found.get("share") == 0 else f"{found.get('share', 1):.1e}"
    print(f"{case:20} {dtype:9} {'ok' if not problems else 'FAIL':5} {exact}", flush=True)
    for problem in problems[:6]:
        print("    " + problem[:300], flush=True)
    return not problems


def run(program, case, dtypes, root):
    """By dtype, whether all is equal."""
    folders = [root / dtype for dtype in dtypes]
    for dtype, folder in zip(dtypes, folders):
        save(case, dtype, folder)
    subprocess.run([program, "lua", HERE / "architectures.lua", *folders], check=True)
    return [report(case, dtype, folder) for dtype, folder in zip(dtypes, folders)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--dtypes", default="float32,float16,bfloat16")
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_intermixed_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    results = []
    for case in arguments.cases or CASES:
        with tempfile.TemporaryDirectory() as root:
            results += run(arguments.program, case, arguments.dtypes.split(","),
                           pathlib.Path(root))
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed, 0 skipped")
    return not all(results)


if __name__ == "__main__":
    sys.exit(main())
