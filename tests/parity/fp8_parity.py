"""Decoded weights of the 8- and 4-bit float formats against transformers and ModelOpt, bit for bit.

    python fp8_parity.py QSPEC_PROGRAM

Random codes and scales of many shapes are written as qspec's tests/parity/decode.lua reads them,
decoded by qspec and by the library that the format comes from, in float32, float16 and bfloat16.
Where the library has no code for a shape (blocks that do not divide it), the formula of its kernels
is written out here. Needs tests/parity/setup. Exit status 1 when a single bit differs.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import types

import torch
from modelopt.torch.export import quant_utils
from modelopt.torch.quantization.qtensor import FP8QTensor, MXFP4QTensor, MXFP8QTensor, NVFP4QTensor
from safetensors.torch import save_file
from transformers.integrations.finegrained_fp8 import Fp8Dequantize, Fp8Quantize
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
HERE = pathlib.Path(__file__).resolve().parent
E4M3 = torch.float8_e4m3fn
SHOWN = 10


class Model:
    """Weights under one quantization_config, with what the library makes of each."""

    def __init__(self, name, config):
        self.name, self.config = name, config
        self.modules, self.tensors, self.wanted = [], {}, {}

    def add(self, shape, tensors, wanted, kind="linear", module_class="Linear"):
        """wanted: dtype -> the decoded weight."""
        name = f"m{len(self.modules)}.proj"
        self.modules.append({"name": name, "shape": list(shape), "kind": kind,
                             "class": module_class})
        for suffix, value in tensors.items():
            full = name if suffix == "" else name + suffix
            self.tensors[full] = value.clone()
        self.wanted[name] = wanted


def codes(shape, generator):
    """Every e4m3 code but the two of NaN."""
    drawn = torch.randint(0, 254, shape, generator=generator)
    return torch.where(drawn >= 127, drawn + 1, drawn).to(torch.uint8).view(E4M3)


def floats(shape, generator, low=-20, high=4):
    """Positive numbers of all magnitudes that scales have, with full mantissas."""
    exponents = torch.randint(low, high, shape, generator=generator).float()
    return (1 + torch.rand(shape, generator=generator)) * torch.exp2(exponents)


def bytes_of(shape, generator):
    return torch.randint(0, 256, shape, generator=generator).to(torch.uint8)


def ragged(weight, scales, block):
    """code * scale of its block in float32, blocks cut off at the edges."""
    rows = torch.arange(weight.shape[-2]) // block[0]
    columns = torch.arange(weight.shape[-1]) // block[1]
    return weight.float() * scales.float()[..., rows, :][..., columns]


def cast(value):
    return lambda dtype: value.to(dtype)


# transformers' fp8 ------------------------------------------------------------------------------

def dequantizer(scale_fmt="float"):
    config = types.SimpleNamespace(scale_fmt=scale_fmt, weight_block_size=None)
    return Fp8Dequantize(types.SimpleNamespace(quantization_config=config))


def by_transformers(weight, scales):
    return lambda dtype: dequantizer()._dequantize_one(weight, scales, output_dtype=dtype)


def fp8_blocks(generator):
    for block in ((128, 128), (32, 32), (1, 128), (64, 16)):
        model = Model(f"fp8 {block}", {"quant_method": "fp8", "weight_block_size": list(block)})
        for rows, columns in ((1, 1), (2, 3), (1, 5), (4, 2)):
            shape = (rows * block[0], columns * block[1])
            for kind in (torch.float32, torch.bfloat16, torch.float16):
                weight = codes(shape, generator)
                scales = floats((rows, columns), generator, -12).to(kind)
                model.add(shape, {".weight": weight, ".weight_scale_inv": scales},
                          by_transformers(weight, scales))
        for shape in ((1, 1), (127, 129), (130, 257), (3, 500), (513, 7)):
            weight = codes(shape, generator)
            grid = [-(-shape[0] // block[0]), -(-shape[1] // block[1])]
            scales = floats(grid, generator)
            model.add(shape, {".weight": weight, ".weight_scale_inv": scales},
                      cast(ragged(weight, scales, block)))
        yield model


def fp8_scalar(generator):
    model = Model("fp8 tensor", {"quant_method": "fp8", "weight_block_size": None,
                                 "activation_scheme": "static"})
    for shape in ((1, 1), (5, 7), (64, 33), (129, 255)):
        weight, scale = codes(shape, generator), floats((), generator)
        model.add(shape, {".weight": weight, ".weight_scale_inv": scale,
                          ".activation_scale": floats((), generator)},
                  by_transformers(weight, scale.reshape(1, 1)))
    yield model


def fp8_exponents(generator):
    for method, config in (("fp8", {"scale_fmt": "ue8m0"}), ("mxfp8", {})):
        model = Model(method + " ue8m0", {"quant_method": method, "weight_block_size": [1, 32],
                                          **config})
        for shape in ((4, 64), (7, 96), (33, 32)):
            for dtype in (torch.uint8, torch.float8_e8m0fnu):
                weight = codes(shape, generator)
                scales = torch.randint(90, 140, (shape[0], shape[1] // 32), generator=generator)
                scales = scales.to(torch.uint8).view(dtype)
                model.add(shape, {".weight": weight, ".weight_scale_inv": scales},
                          by_transformers(weight, scales))
        yield model


def fp8_experts(generator):
    model = Model("fp8 experts", {"quant_method": "fp8", "weight_block_size": [16, 32]})
    for count, rows, columns in ((1, 1, 1), (3, 2, 5), (4, 3, 2)):
        shape = (count, rows * 16, columns * 32)
        weight, scales = codes(shape, generator), floats((count, rows, columns), generator)
        model.add(shape, {"": weight, "_scale_inv": scales}, by_transformers(weight, scales),
                  "experts")
    shape = (3, 37, 70)
    weight, scales = codes(shape, generator), floats((3, 3, 3), generator)
    model.add(shape, {"": weight, "_scale_inv": scales}, cast(ragged(weight, scales, (16, 32))),
              "experts")
    yield model


def fp4_packed(generator):
    model = Model("fp8 packed e2m1", {"quant_method": "fp8", "scale_fmt": "ue8m0"})
    for shape in ((4, 64), (7, 32), (33, 96)):
        packed = bytes_of((shape[0], shape[1] // 2), generator).view(torch.int8)
        scales = torch.randint(100, 140, (shape[0], shape[1] // 32), generator=generator)
        scales = scales.to(torch.uint8).view(torch.float8_e8m0fnu)
        model.add(shape, {".weight": packed, ".weight_scale_inv": scales},
                  by_transformers(packed, scales))
    yield model


def fp8_made(generator):
    """What Fp8Quantize itself writes."""
    quantizer = types.SimpleNamespace(quantization_config=types.SimpleNamespace(
        scale_fmt="float", weight_block_size=(32, 32)))
    model = Model("fp8 as written", {"quant_method": "fp8", "weight_block_size": [32, 32]})
    for shape in ((32, 64), (96, 32)):
        dense = torch.randn(shape, generator=generator, dtype=torch.float32).to(torch.bfloat16)
        made = Fp8Quantize(quantizer).convert({"a.weight": dense})
        weight, scales = made["a.weight"], made["a.weight_scale_inv"]
        model.add(shape, {".weight": weight, ".weight_scale_inv": scales},
                  by_transformers(weight, scales))
    yield model


def fbgemm(generator):
    model = Model("fbgemm_fp8", {"quant_method": "fbgemm_fp8"})
    for shape in ((1, 1), (5, 9), (130, 31)):
        weight, scales = codes(shape, generator), floats((shape[0], 1), generator)
        model.add(shape, {".weight": weight, ".weight_scale": scales},
                  cast(weight.float() * scales))
    yield model


def mxfp4(generator):
    model = Model("mxfp4", {"quant_method": "mxfp4"})
    for count, rows, groups in ((1, 1, 1), (3, 5, 2), (2, 33, 3), (4, 6, 90)):
        blocks = bytes_of((count, rows, groups, 16), generator)
        scales = torch.randint(0, 255, (count, rows, groups), generator=generator)
        scales = scales.to(torch.uint8)

        def wanted(dtype, blocks=blocks, scales=scales):
            # The library decodes to the dtype asked, and to [experts, in, out].
            return convert_moe_packed_tensors(blocks, scales, dtype=dtype).transpose(1, 2)
        model.add((count, rows, groups * 32), {"_blocks": blocks, "_scales": scales}, wanted,
                  "experts", "GptOssExperts")
    yield model


# ModelOpt ---------------------------------------------------------------------------------------

def modelopt(algorithm, **rest):
    return Model("modelopt " + algorithm, {"quant_method": "modelopt", "quant_algo": algorithm,
                                           "ignore": ["lm_head"], **rest})


def modelopt_fp8(generator):
    model = modelopt("FP8")
    for shape in ((1, 1), (5, 9), (130, 31)):
        weight, scale = codes(shape, generator), floats((), generator)
        whole = FP8QTensor(torch.Size(shape), torch.float32, weight).dequantize(
            torch.float32, scale=scale)
        model.add(shape, {".weight": weight, ".weight_scale": scale,
                          ".input_scale": floats((), generator)}, cast(whole))
    yield model
    model = modelopt("FP8_PER_CHANNEL_PER_TOKEN")
    for shape in ((1, 3), (5, 9)):
        weight, scales = codes(shape, generator), floats((shape[0],), generator)
        model.add(shape, {".weight": weight, ".weight_scale": scales},
                  cast(weight.float() * scales[:, None]))
    yield model
    model = modelopt("FP8_PB_WO")
    for rows, columns in ((1, 1), (2, 3)):
        shape = (rows * 128, columns * 128)
        weight, scales = codes(shape, generator), floats((rows, columns), generator)
        whole = FP8QTensor(torch.Size(shape), torch.float32, weight).dequantize(
            torch.float32, scale=scales, block_sizes={-1: 128, -2: 128})
        for stored in (scales, scales.reshape(rows, 1, columns, 1)):
            model.add(shape, {".weight": weight, ".weight_scale": stored.clone()}, cast(whole))
    yield model


def modelopt_nvfp4(generator):
    model = modelopt("NVFP4", group_size=16)
    for rows, groups in ((1, 1), (7, 3), (64, 9)):
        shape = (rows, groups * 16)
        dense = torch.randn(shape, generator=generator) * floats((rows, 1), generator, -6, 3)
        made, scales, second = NVFP4QTensor.quantize(dense, 16)
        whole = made.dequantize(torch.float32, scale=scales, double_scale=second,
                                block_sizes={-1: 16})
        model.add(shape, {".weight": made._quantized_data, ".weight_scale": scales,
                          ".weight_scale_2": second.reshape(()),
                          ".input_scale": floats((), generator)}, cast(whole))
    yield model


def modelopt_mx(generator):
    model = modelopt("MXFP8")
    for rows, groups in ((1, 1), (7, 3)):
        shape = (rows, groups * 32)
        dense = torch.randn(shape, generator=generator)
        scales = MXFP8QTensor.get_weights_scaling_factor(dense)
        weight = MXFP8QTensor.quantize_with_scale(dense, scales)
        whole = MXFP8QTensor(torch.Size(shape), torch.float32, weight).dequantize(
            torch.float32, scale=scales)
        model.add(shape, {".weight": weight, ".weight_scale": scales}, cast(whole))
    yield model
    model = modelopt("W4A8_MXFP4_FP8")
    for rows, groups in ((1, 1), (7, 3)):
        shape = (rows, groups * 32)
        made, scales = MXFP4QTensor.quantize(torch.randn(shape, generator=generator), 32)
        whole = made.dequantize(torch.float32, scale=scales, block_sizes={-1: 32})
        model.add(shape, {".weight": made._quantized_data,
                          ".weight_scale": scales.reshape(rows, groups)}, cast(whole))
    yield model


def modelopt_integers(generator):
    for group in (64, 128):
        model = modelopt("W4A16_AWQ", group_size=group, pre_quant_scale=True)
        for rows, groups in ((2, 1), (6, 3), (34, 2)):
            shape = (rows, groups * group)
            signed = torch.randint(-8, 8, shape, generator=generator)
            scales = floats((rows, groups), generator).to(torch.bfloat16).float()
            spread = scales.repeat_interleave(group, 1)
            packed = quant_utils.pack_int4_in_uint8(signed * spread, scales, group)
            before = floats((shape[1],), generator, -2, 2).to(torch.bfloat16)
            model.add(shape, {".weight": packed, ".weight_scale": scales.to(torch.bfloat16),
                              ".pre_quant_scale": before},
                      cast(signed.float() * spread * before.float()))
        yield model
    model = modelopt("W8A16")
    for shape in ((1, 1), (5, 9)):
        weight = bytes_of(shape, generator).view(torch.int8)
        scales = floats((shape[0],), generator)
        whole = quant_utils.from_quantized_weight(weight, scales, quant_utils.QUANTIZATION_INT8_WO,
                                                  torch.float32)
        model.add(shape, {".weight": weight, ".weight_scale": scales}, cast(whole))
    yield model


MODELS = (fp8_blocks, fp8_scalar, fp8_exponents, fp8_experts, fp4_packed, fp8_made, fbgemm, mxfp4,
          modelopt_fp8, modelopt_nvfp4, modelopt_mx, modelopt_integers)


# Comparing --------------------------------------------------------------------------------------

def write(model, folder):
    config = {"model_type": "made", "dtype": "bfloat16", "quantization_config": model.config}
    # The last parameter is excluded by default.
    modules = model.modules + [{"name": "lm_head", "shape": [1, 1]}]
    tensors = {**model.tensors, "lm_head.weight": torch.zeros(1, 1, dtype=torch.bfloat16)}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "modules.json").write_text(json.dumps(modules))
    save_file(tensors, folder / "model.safetensors")


def bits(value):
    size = {1: torch.uint8, 2: torch.int16, 4: torch.int32}[value.element_size()]
    return value.contiguous().view(size)


def compare(program, model, dtype_name, folder):
    """-> the names of the weights that differ, with the reason"""
    out = folder / dtype_name
    out.mkdir()
    done = subprocess.run([program, "lua", HERE / "decode.lua", folder, out, dtype_name],
                          capture_output=True, text=True)
    if done.returncode != 0:
        return [f"{model.name}: {done.stderr.strip()}"]
    wrong = [f"{model.name}: {fact}" for fact in json.loads((out / "facts.json").read_text())]
    entries = {entry["name"]: entry for entry in json.loads((out / "index.json").read_text())}
    for module in model.modules:
        entry, dtype = entries.get(module["name"]), DTYPES[dtype_name]
        what = f"{model.name} {module['shape']} {dtype_name}"
        if entry is None or "error" in entry:
            wrong.append(f"{what}: {entry}")
            continue
        raw = bytearray((out / entry["file"]).read_bytes())
        found = torch.frombuffer(raw, dtype=dtype).reshape(entry["shape"])
        wanted = model.wanted[module["name"]](dtype)
        if list(wanted.shape) != entry["shape"]:
            wrong.append(f"{what}: shape {entry['shape']}")
        elif not torch.equal(bits(found), bits(wanted)):
            different = int((bits(found) != bits(wanted)).sum())
            wrong.append(f"{what}: {different} of {wanted.numel()} values differ")
    return wrong


def main():
    program, weights, wrong = sys.argv[1], 0, []
    generator = torch.Generator().manual_seed(20241121)
    for make in MODELS:
        for model in make(generator):
            with tempfile.TemporaryDirectory(prefix="qspec-fp8-") as name:
                folder = pathlib.Path(name)
                write(model, folder)
                for dtype_name in DTYPES:
                    weights += len(model.modules)
                    wrong += compare(program, model, dtype_name, folder)
    for line in wrong[:SHOWN]:
        print(line)
    print(f"{weights} weights decoded, {len(wrong)} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
