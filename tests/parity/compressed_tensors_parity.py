#!/usr/bin/env python3
"""qspec against compressed-tensors: decoded weights bit for bit, and what a config asks for.

    compressed_tensors_parity.py PROGRAM

Random weights of odd sizes are compressed by every compressor of the library under every strategy
and width, decoded by qspec (tests/parity/decode.lua) and by the library, and compared in the dtype
that the library decodes to. Configs, good and bad, are read by both: which are refused, and which
scheme each module gets. Needs tests/parity/setup. Exit status 1 on a difference.
"""

import itertools
import json
import logging
import pathlib
import subprocess
import sys
import tempfile
import warnings

import torch
import transformers
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.compressors.format import infer_module_format
from compressed_tensors.quantization import (QuantizationConfig, QuantizationScheme,
                                             apply_quantization_config)
from compressed_tensors.quantization.quant_scheme import PRESET_SCHEMES
from loguru import logger
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).resolve().parent
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
SHOWN = 12
SEED = 20261121
GENERATOR = torch.Generator().manual_seed(SEED)


# Weights ----------------------------------------------------------------------------------------

class Model:
    """Weights of one checkpoint, each under a group of its own."""

    def __init__(self):
        self.groups, self.modules, self.tensors, self.wanted = {}, [], {}, {}

    def add(self, form, weights, shape, dtype, inputs=None):
        name = f"m{len(self.modules)}.proj"
        scheme = QuantizationScheme(targets=[name], weights=weights, format=form,
                                    input_activations=inputs)
        state = parameters(scheme.weights, shape, dtype)
        compressor = BaseCompressor.get_value_from_registry(form)
        stored = compressor.compress(state, scheme)
        self.wanted[name] = compressor.decompress(stored, scheme)["weight"]
        self.modules.append({"name": name, "shape": list(shape), "what":
                             f"{form} {weights} {list(shape)} {dtype}"})
        self.groups[f"group_{len(self.groups)}"] = json.loads(scheme.model_dump_json())
        for suffix, value in stored.items():
            self.tensors[f"{name}.{suffix}"] = value.detach().clone().contiguous()


def grid(args, shape):
    rows, columns = shape
    if args.strategy == "channel":
        return (rows, 1)
    if args.strategy == "block":
        height, width = args.block_structure
        return (-(-rows // height), -(-columns // width))
    if args.strategy in ("group", "tensor_group"):
        return (rows, columns // args.group_size)
    return (1,)


def scales(args, shape, dtype):
    """Positive numbers with full mantissas; powers of two under mx."""
    wide = torch.randint(-9, 2, shape, generator=GENERATOR).float()
    if args.scale_dtype == torch.uint8:
        return torch.exp2(wide).to(dtype)
    if args.scale_dtype == torch.float8_e4m3fn:
        drawn = (1 + torch.rand(shape, generator=GENERATOR)) * torch.exp2(wide + 4)
        return drawn.to(torch.float8_e4m3fn).to(dtype)
    return ((1 + torch.rand(shape, generator=GENERATOR)) * torch.exp2(wide)).to(dtype)


def zero_points(args, shape):
    if args.type == "float":
        return (torch.randn(shape, generator=GENERATOR) * 20).to(torch.float8_e4m3fn)
    half = 2 ** (args.num_bits - 1)
    return torch.randint(-half, half, shape, generator=GENERATOR).to(torch.int8)


def parameters(args, shape, dtype):
    state = {"weight": (torch.randn(shape, generator=GENERATOR) * 2).to(dtype)}
    state["weight_scale"] = scales(args, grid(args, shape), dtype)
    if not args.symmetric:
        state["weight_zero_point"] = zero_points(args, grid(args, shape))
    if args.strategy == "tensor_group":
        state["weight_global_scale"] = torch.rand(1, generator=GENERATOR) * 900 + 3
    return state


SHAPES = ((1, 1), (5, 7), (33, 64), (64, 96), (130, 257), (3, 500))
GROUP_SHAPES = ((1, 32), (7, 96), (33, 64), (130, 160))
STRATEGIES = ({"strategy": "tensor"}, {"strategy": "channel"},
              {"strategy": "block", "block_structure": [16, 32]},
              {"strategy": "group", "group_size": 32})


def shapes_of(strategy):
    return GROUP_SHAPES if "group_size" in strategy else SHAPES


def beyond_library(bits, symmetric, shape):
    """unpack_from_int32 fails on 4-bit zero points that lie in one row of words."""
    return bits == 4 and not symmetric and shape[0] <= 8


def integers(form, widths, inputs=None):
    model = Model()
    for bits, strategy, symmetric in itertools.product(widths, STRATEGIES, (True, False)):
        for i, shape in enumerate(shapes_of(strategy)):
            if beyond_library(bits, symmetric, shape):
                continue
            dtype = list(DTYPES.values())[(i + bits) % 3]
            weights = {"num_bits": bits, "type": "int", "symmetric": symmetric, **strategy}
            model.add(form, weights, shape, dtype, inputs)
    return model


def packed():
    for bits in range(1, 9):
        yield integers("pack-quantized", [bits])


def plain():
    yield integers("naive-quantized", [3, 8])
    yield integers("int-quantized", [4, 8], {"num_bits": 8, "type": "int", "strategy": "token",
                                            "dynamic": True})


def fp8():
    for form in ("float-quantized", "naive-quantized"):
        model = Model()
        for strategy, symmetric in itertools.product(STRATEGIES, (True, False)):
            for shape, dtype in itertools.product(shapes_of(strategy), DTYPES.values()):
                model.add(form, {"num_bits": 8, "type": "float", "symmetric": symmetric,
                                 **strategy}, shape, dtype)
        yield model


def small_floats():
    model = Model()
    for shape, dtype in itertools.product(((1, 32), (7, 96), (33, 64)), DTYPES.values()):
        for preset in ("NVFP4A16", "MXFP4A16", "MXFP6A16", "MXFP8A16"):
            weights = PRESET_SCHEMES[preset]["weights"].model_dump()
            form = infer_module_format(torch.nn.Linear, QuantizationScheme(
                targets=[], weights=weights)).value
            model.add(form, weights, shape, dtype)
    yield model


def write(model, folder):
    config = {"quant_method": "compressed-tensors", "format": "mixed-precision", "ignore": [],
              "quantization_status": "compressed", "config_groups": model.groups}
    (folder / "config.json").write_text(json.dumps(
        {"model_type": "made", "dtype": "bfloat16", "quantization_config": config}))
    (folder / "modules.json").write_text(json.dumps(
        [{"name": module["name"], "shape": module["shape"]} for module in model.modules]))
    save_file(model.tensors, folder / "model.safetensors")


def bits_of(value):
    return value.contiguous().view({2: torch.int16, 4: torch.int32}[value.element_size()])


def decoded(program, folder, name):
    out = folder / name
    out.mkdir()
    subprocess.run([program, "lua", HERE / "decode.lua", folder, out, name], check=True)
    facts = json.loads((out / "facts.json").read_text())
    entries = {entry["name"]: entry for entry in json.loads((out / "index.json").read_text())}
    return out, entries, [f"a finding: {fact}" for fact in facts]


def compare_weight(module, entry, out, name, wanted):
    if entry is None or "error" in entry:
        return [f"{module['what']}: {entry}"]
    found = torch.frombuffer(bytearray((out / entry["file"]).read_bytes()), dtype=DTYPES[name])
    found = found.reshape(entry["shape"])
    if found.shape != wanted.shape:
        return [f"{module['what']}: shape {entry['shape']}"]
    different = int((bits_of(found) != bits_of(wanted)).sum())
    return [f"{module['what']}: {different} of {wanted.numel()} differ"] if different else []


def compare_model(program, model):
    wrong = []
    with tempfile.TemporaryDirectory(prefix="qspec-ct-") as path:
        folder = pathlib.Path(path)
        write(model, folder)
        for name, dtype in DTYPES.items():
            out, entries, facts = decoded(program, folder, name)
            wrong += facts
            for module in model.modules:
                wanted = model.wanted[module["name"]]
                if wanted.dtype == dtype:
                    wrong += compare_weight(module, entries.get(module["name"]), out, name, wanted)
    return wrong


# Configs ----------------------------------------------------------------------------------------

class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj = torch.nn.Linear(128, 128)
        self.k_proj = torch.nn.Linear(128, 64)
        self.norm = torch.nn.LayerNorm(128)


class Toy(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(16, 128)
        self.layers = torch.nn.ModuleList(Layer() for _ in range(12))
        self.lm_head = torch.nn.Linear(128, 16)


KINDS = {"Linear": "linear", "Embedding": "embedding", "LayerNorm": "norm"}
TOY = [{"name": name, "class": type(module).__name__, "kind": KINDS[type(module).__name__],
        "shape": list(module.weight.shape)}
       for name, module in Toy().named_modules() if type(module).__name__ in KINDS]

W4 = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 32}
W8 = {"num_bits": 8, "type": "int", "strategy": "channel", "symmetric": False}
FP8 = {"num_bits": 8, "type": "float", "strategy": "tensor"}

TARGETS = ([["Linear"], [], []], [["Linear"], ["re:.*q_proj"], ["layers.3.q_proj"]],
           [["re:layers\\.1.*"], ["layers.1.q_proj"], ["Embedding"]],
           [["re:.*proj", "lm_head"], ["re:.*k_proj"], []],
           [["re:.*k_proj$"], ["re:.*_proj$"], ["Linear"]],
           [["Linear", "Embedding"], ["Linear"], []], [["Module"], [], []],
           [["nothing"], ["LayerNorm"], []])
IGNORES = ([], ["lm_head"], ["re:layers.1"], ["Linear"], ["q_proj", "re:.*q_proj"],
           ["layers.1.k_proj", "re:lm_.*"], ["Embedding"])

CHANGES = [("num_bits", v) for v in (1, 2, 3, 8, 0, -1, 9, 33)] + [
    ("group_size", v) for v in (None, 16, -1, 0, -2, 128)] + [
    ("strategy", v) for v in (None, "GROUP", "channel", "tensor", "block", "token", "tensor_group",
                              "rows", "attn_head")] + [
    ("type", v) for v in ("INT", "float", "uint")] + [
    ("symmetric", False), ("dynamic", True), ("dynamic", "local"), ("dynamic", "global"),
    ("actorder", "group"), ("actorder", "weight"), ("actorder", "static"), ("actorder", True),
    ("actorder", False), ("actorder", "rows"), ("observer", "mse"), ("observer_kwargs", {"a": 1}),
    ("scale_dtype", "torch.uint8"), ("zp_dtype", "torch.int8"), ("nobody", 1),
    ("block_structure", [16, 16]), ("block_structure", "16x16"), ("block_structure", [0, 1])]


def base(groups, **more):
    return {"quant_method": "compressed-tensors", "format": "mixed-precision",
            "quantization_status": "compressed", "config_groups": groups, "ignore": [], **more}


def configs():
    for targets, ignore in itertools.product(TARGETS, IGNORES):
        groups = {f"g{i}": {"targets": listed, "weights": weights}
                  for i, (listed, weights) in enumerate(zip(targets, (W4, W8, FP8)))}
        yield base(groups, ignore=ignore)
    for key, value in CHANGES:
        for start in (W4, W8, FP8, {**W4, "group_size": None}, {"num_bits": 8, "strategy": "block",
                                                                "block_structure": [32, 64]}):
            yield base({"g": {"targets": ["Linear"], "weights": {**start, key: value}}})
    for name in [*PRESET_SCHEMES, "w4a16", "W9A16", "W8A4", "nobody"]:
        yield base({name: ["Linear"]})
    for more in ({"ignore": None}, {"kv_cache_scheme": {**FP8, "dynamic": False}},
                 {"kv_cache_scheme": {**FP8, "num_bits": "many"}}, {"version": "0.1"},
                 {"global_compression_ratio": 1.5}, {"nobody_knows": 1}):
        yield base({"g": {"targets": ["Linear"], "weights": W4}}, **more)
    yield base({"g": {"targets": ["Linear"], "weights": W4, "nobody": 1}})
    yield base({"g": {"targets": ["re:(", "Linear"], "weights": W4}})
    yield base({"g": {"targets": "Linear", "weights": W4}})
    for form in ("pack-quantized", "int-quantized", "mixed-precision", "nobody", "marlin-24"):
        yield base({"g": {"targets": ["Linear"], "weights": W8, "format": form}})


def described(scheme):
    args = scheme.weights
    form = scheme.format or infer_module_format(torch.nn.Linear, scheme)
    form = getattr(form, "value", form)
    kind = {"nvfp4-pack-quantized": "nvfp4", "mxfp4-pack-quantized": "mxfp4",
            "mxfp6-pack-quantized": "mxfp6", "mxfp8-quantized": "mxfp8"}.get(form)
    kind = kind or (f"int{args.num_bits}" if args.type == "int" else "float8_e4m3")
    size = args.group_size if args.strategy in ("group", "tensor_group") else args.block_structure
    size = "x".join(map(str, size)) if isinstance(size, list) else size
    strategy = getattr(args.strategy, "value", args.strategy)
    return (f"{kind} {strategy} {'nil' if size is None else size} "
            f"{'symmetric' if args.symmetric else 'zeros'}")


def by_library(config):
    """-> name -> what it gets; None when the library refuses the config or the weights."""
    saved = transformers.CompressedTensorsConfig.from_dict(dict(config))
    saved.post_init()
    if not saved.quantization_config:
        raise ValueError("nothing to quantize")
    toy = Toy().to(torch.bfloat16)
    apply_quantization_config(toy, saved.quantization_config, show_progress=False)
    found = {}
    for name, module in toy.named_modules():
        scheme = getattr(module, "quantization_scheme", None)
        if type(module).__name__ not in KINDS:
            continue
        has_weights = scheme is not None and scheme.weights is not None
        if has_weights:
            form = scheme.format or infer_module_format(type(module), scheme)
            BaseCompressor.get_value_from_registry(form.value if hasattr(form, "value") else form
                                                   ).compress_module(module)
        found[name] = described(scheme) if has_weights else "dense"
    return found


def ask(program, cases):
    with tempfile.TemporaryDirectory() as folder:
        source, out = pathlib.Path(folder, "cases"), pathlib.Path(folder, "out")
        source.write_text("".join(json.dumps({"config": case, "modules": TOY}) + "\n"
                                  for case in cases))
        subprocess.run([program, "lua", HERE / "ct_plans.lua", source, out], check=True)
        return [json.loads(line) for line in out.read_text().splitlines()]


def is_nonsense(config):
    """Widths that the library reads, and computes with until torch fails."""
    return any(isinstance(group, dict) and group["weights"].get("num_bits") in (0, -1, 33)
               for group in config["config_groups"].values())


def compare_config(config, answer):
    try:
        wanted = by_library(config)
    except Exception as error:
        if "problem" in answer:
            return None
        return f"{json.dumps(config)}: read, but the library says {str(error)[:200]!r}"
    if "requests" not in answer:
        return None if is_nonsense(config) else (
            f"{json.dumps(config)}: {answer.get('problem')}, but the library takes it")
    different = {name: (answer["requests"].get(name), what) for name, what in wanted.items()
                 if answer["requests"].get(name) != what}
    return f"{json.dumps(config)}: {different}" if different else None


def compare_configs(program):
    cases = list(configs())
    wrong = [compare_config(case, answer) for case, answer in zip(cases, ask(program, cases))]
    return len(cases), [line for line in wrong if line]


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    logger.remove()
    transformers.logging.set_verbosity_error()
    program, wrong, weights = sys.argv[1], [], 0
    for make in (packed, plain, fp8, small_floats):
        for model in make():
            weights += len(model.modules)
            wrong += compare_model(program, model)
    print(f"{weights} weights decoded, {len(wrong)} differ")
    cases, different = compare_configs(program)
    print(f"{cases} configs read, {len(different)} differ")
    for line in (wrong + different)[:SHOWN]:
        print("  " + line[:900])
    return 1 if wrong or different else 0


if __name__ == "__main__":
    sys.exit(main())
