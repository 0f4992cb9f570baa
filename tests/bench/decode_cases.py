"""One weight of 4096 x 11008 in every format that is decoded, and what its library decodes it with.

A case function takes a generator of random numbers and yields Cases; its name begins with that of
the format. What makes the tensors is shared with the parity tests, which compare the values.
"""

import importlib
import pathlib
import sys
import types
from typing import Callable, NamedTuple, Optional

import numpy
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "parity"))

ROWS, COLUMNS = SHAPE = (4096, 11008)
HALF, BRAIN, FLOAT = torch.float16, torch.bfloat16, torch.float32
E4M3 = torch.float8_e4m3fn


class Case(NamedTuple):
    what: str
    config: Optional[dict]  # None: a GGUF file with one tensor, of the type that `what` names
    tensors: dict  # by suffix, as in decoded_weights.Checkpoint
    dtype: torch.dtype  # that the library decodes to
    library: str  # the name of its distribution, or why there is no peer
    dequantize: Optional[Callable] = None
    shape: tuple = SHAPE
    kind: str = "linear"
    module_class: str = "Linear"
    metadata: Optional[dict] = None
    name: str = "model.layers.0.proj"


def drawn(shape, generator, dtype=torch.uint8):
    size = torch.empty((), dtype=dtype).element_size()
    raw = torch.randint(0, 256, (*shape[:-1], shape[-1] * size), generator=generator)
    return raw.to(torch.uint8).view(dtype)


def positive(shape, generator, dtype=FLOAT):
    return (torch.rand(shape, generator=generator) * 0.02 + 0.001).to(dtype)


def e4m3(shape, generator):
    return importlib.import_module("fp8_parity").codes(shape, generator)


def linear(generator, dtype):
    layer = torch.nn.Linear(COLUMNS, ROWS, bias=False, dtype=dtype)
    layer.weight.data = (torch.randn(SHAPE, generator=generator) * 0.05).to(dtype)
    return layer


def gptq(generator):
    parity = importlib.import_module("gptq_parity")
    for bits, shuffled, version in ((4, False, 2), (4, True, 2), (3, False, 2), (8, False, 2),
                                    (8, False, 1), (2, False, 2)):
        kernel = parity.gptq_kernel(bits, 128, SHAPE, generator, shuffled)
        stored = {key: value for key, value in kernel.named_buffers() if not key.startswith("wf_")}
        what = f"{bits} bits{', act-order' if shuffled else ''}{', v1' if version == 1 else ''}"
        yield Case(what, {
            "quant_method": "gptq", "bits": bits, "group_size": 128, "sym": False,
            "desc_act": shuffled, "checkpoint_format": "gptq" if version == 1 else "gptq_v2"},
            stored, HALF, "gptqmodel", kernel.dequantize_weight)


def awq(generator):
    parity = importlib.import_module("gptq_parity")
    stored = {"qweight": parity.words((COLUMNS, ROWS // 8), generator),
              "qzeros": parity.words((COLUMNS // 128, ROWS // 8), generator),
              "scales": parity.scales((COLUMNS // 128, ROWS), generator)}
    yield Case("gemm, 4 bits", {"quant_method": "awq", "bits": 4, "group_size": 128}, stored, HALF,
               "gptqmodel", lambda: parity.packing_utils.dequantize_gemm(**stored, bits=4,
                                                                         group_size=128))
    yield from awq_rows(parity, generator)


def awq_rows(parity, generator):
    codes, scale, zeros = parity.random_parts(SHAPE, 128, generator)
    width = parity.calculate_zeros_width(COLUMNS, 128) * 8
    pack = parity.packing_utils.pack_awq_columns
    gemv = {"qweight": pack(codes, 4), "qzeros": pack(parity.padded(zeros, width), 4),
            "scales": parity.padded(scale, width)}
    fast = {"qweight": parity.gemv_fast_awq.pack_intweight(codes, interleave=4, kstride=64),
            "scales": parity.padded(scale, width).t(),
            "qzeros": parity.padded(-(scale * zeros.float()).half(), width).t()}
    for version, stored, dtype in (("gemv", gemv, HALF), ("gemv_fast", fast, FLOAT)):
        yield Case(f"{version}, 4 bits", {"quant_method": "awq", "bits": 4, "group_size": 128,
                   "version": version}, stored, dtype, "no CPU peer: its kernel needs a GPU")


def auto_round(generator):
    parity = importlib.import_module("gptq_parity")
    layer = parity.qlinear_torch_zp.QuantLinear(4, 128, COLUMNS, ROWS, bias=False)
    layer.qweight.data = parity.words(layer.qweight.shape, generator)
    layer.qzeros.data = parity.words(layer.qzeros.shape, generator)
    layer.scales.data = parity.scales(layer.scales.shape, generator)
    yield Case("4 bits", {"quant_method": "auto-round", "bits": 4, "group_size": 128, "sym": False,
                          "packing_format": "auto_round:auto_gptq"}, dict(layer.named_buffers()),
               HALF, "no CPU peer: its kernel keeps the decoded weight to itself")


def bitsandbytes(generator):
    from bitsandbytes import functional
    dense = (torch.randn(SHAPE, generator=generator) * 0.05).to(BRAIN)
    for kind in ("nf4", "fp4"):
        packed, state = functional.quantize_4bit(dense, quant_type=kind)
        stored = {"weight": packed, **{f"weight.{key}": value for key, value in
                                       state.as_dict(packed=True).items()}}
        yield Case(kind, {"quant_method": "bitsandbytes", "load_in_4bit": True,
                          "bnb_4bit_quant_type": kind}, stored, BRAIN, "bitsandbytes",
                   lambda packed=packed, state=state: functional.dequantize_4bit(packed, state))
    codes, scales = drawn(SHAPE, generator, torch.int8), positive((ROWS,), generator)
    yield Case("LLM.int8()", {"quant_method": "bitsandbytes", "load_in_8bit": True},
               {"weight": codes, "SCB": scales,
                "weight_format": torch.zeros((), dtype=torch.uint8)}, FLOAT, "bitsandbytes",
               lambda: functional.int8_vectorwise_dequant(codes, scales))


CT_WEIGHTS = (
    ("pack-quantized", "4 bits", {"num_bits": 4, "type": "int", "strategy": "group",
                                  "group_size": 128}),
    ("pack-quantized", "3 bits", {"num_bits": 3, "type": "int", "strategy": "group",
                                  "group_size": 128}),
    ("int-quantized", "8 bits", {"num_bits": 8, "type": "int", "strategy": "channel"}),
    ("float-quantized", "e4m3", {"num_bits": 8, "type": "float", "strategy": "channel"}),
    ("float-quantized", "e4m3 128 x 128", {"num_bits": 8, "type": "float", "strategy": "block",
                                           "block_structure": [128, 128]}))


def compressed_tensors(generator):
    parity = importlib.import_module("compressed_tensors_parity")
    kinds = [(form, what, {"symmetric": True, **weights}) for form, what, weights in CT_WEIGHTS]
    for preset in ("NVFP4A16", "MXFP4A16", "MXFP6A16", "MXFP8A16"):
        weights = parity.PRESET_SCHEMES[preset]["weights"].model_dump()
        form = parity.infer_module_format(torch.nn.Linear, parity.QuantizationScheme(
            targets=[], weights=weights)).value
        kinds.append((form, preset, weights))
    for form, what, weights in kinds:
        model = parity.Model()
        model.add(form, weights, SHAPE, BRAIN)
        prefix = model.modules[0]["name"] + "."
        stored = {name[len(prefix):]: value for name, value in model.tensors.items()}
        scheme = parity.QuantizationScheme(**model.groups["group_0"])
        compressor = parity.BaseCompressor.get_value_from_registry(form)
        yield Case(f"{form}, {what}", {"quant_method": "compressed-tensors", "format": form,
                   "quantization_status": "compressed", "config_groups": model.groups}, stored,
                   BRAIN, "compressed-tensors",
                   lambda c=compressor, s=stored, q=scheme: c.decompress(dict(s), q),
                   name=model.modules[0]["name"])


def fp8(generator):
    parity = importlib.import_module("fp8_parity")
    weight = e4m3(SHAPE, generator)
    scales = positive((ROWS // 128, COLUMNS // 128), generator)
    decode = parity.by_transformers(weight, scales)
    yield Case("e4m3, 128 x 128", {"quant_method": "fp8", "weight_block_size": [128, 128]},
               {"weight": weight, "weight_scale_inv": scales}, BRAIN, "transformers",
               lambda: decode(BRAIN))


def fbgemm_fp8(generator):
    yield Case("e4m3 rows", {"quant_method": "fbgemm_fp8"},
               {"weight": e4m3(SHAPE, generator), "weight_scale": positive((ROWS, 1), generator)},
               BRAIN, "no CPU peer")


def mxfp4(generator):
    parity = importlib.import_module("fp8_parity")
    shape = (1, ROWS, COLUMNS)
    blocks = drawn((1, ROWS, COLUMNS // 32, 16), generator)
    scales = torch.randint(110, 130, (1, ROWS, COLUMNS // 32), generator=generator).to(torch.uint8)
    yield Case("one expert", {"quant_method": "mxfp4"}, {"_blocks": blocks, "_scales": scales},
               BRAIN, "transformers",
               lambda: parity.convert_moe_packed_tensors(blocks, scales, dtype=BRAIN), shape,
               "experts", "GptOssExperts")


def modelopt(generator):
    parity = importlib.import_module("fp8_parity")
    weight, scale = e4m3(SHAPE, generator), positive((), generator)
    whole = parity.FP8QTensor(torch.Size(SHAPE), BRAIN, weight)
    yield Case("FP8", {"quant_method": "modelopt", "quant_algo": "FP8", "ignore": ["lm_head"]},
               {"weight": weight, "weight_scale": scale, "input_scale": scale.clone()}, BRAIN,
               "nvidia-modelopt", lambda: whole.dequantize(BRAIN, scale=scale))
    dense = torch.randn(SHAPE, generator=generator) * 0.05
    made, scales, second = parity.NVFP4QTensor.quantize(dense, 16)
    yield Case("NVFP4", {"quant_method": "modelopt", "quant_algo": "NVFP4", "group_size": 16,
                         "ignore": ["lm_head"]},
               {"weight": made._quantized_data, "weight_scale": scales,
                "weight_scale_2": second.reshape(()), "input_scale": scale.clone()}, BRAIN,
               "nvidia-modelopt", lambda: made.dequantize(BRAIN, scale=scales, double_scale=second,
                                                          block_sizes={-1: 16}))


def torchao(generator):
    parity = importlib.import_module("torchao_parity")
    configs = (("int8 rows", parity.Int8WeightOnlyConfig(version=2)),
               ("int8 g128", parity.Int8WeightOnlyConfig(granularity=parity.PerGroup(128),
                                                         version=2)),
               ("float8", parity.Float8WeightOnlyConfig()),
               *((f"int{bits} g128", parity.IntxWeightOnlyConfig(
                   weight_dtype=getattr(torch, f"int{bits}"), granularity=parity.PerGroup(128)))
                 for bits in (2, 4)),
               ("int4 g128, asymmetric", parity.IntxWeightOnlyConfig(
                   weight_dtype=torch.int4, mapping_type=parity.MappingType.ASYMMETRIC,
                   granularity=parity.PerGroup(128))))
    for what, config in configs:
        model = torch.nn.Module()
        model.add_module("m0", linear(generator, BRAIN))
        parity.quantize_(model.m0, config)
        tensors, metadata = parity.flatten_tensor_state_dict(model.state_dict())
        stored = {name.removeprefix("m0."): value for name, value in tensors.items()}
        yield Case(what, {"quant_method": "torchao", "modules_to_not_convert": [], "quant_type": {
            "default": parity.config_to_dict(config)}}, stored, BRAIN, "torchao",
            model.m0.weight.dequantize, metadata=metadata, name="m0")


def hqq(generator):
    parity = importlib.import_module("hqq_parity")
    for bits, axis in ((8, 1), (4, 1), (3, 1), (2, 1), (1, 1), (4, 0)):
        options = {"nbits": bits, "group_size": 64, "axis": axis}
        config = parity.BaseQuantizeConfig(**options)
        config["weight_quant_params"]["optimize"] = False
        layer = parity.HQQLinear(linear(generator, BRAIN), config, compute_dtype=BRAIN,
                                 device="cpu")
        yield Case(f"{bits} bits{', axis 0' if axis == 0 else ''}", {
            "quant_method": "hqq", "skip_modules": [], "quant_config": config},
            parity.stored(layer), BRAIN, "hqq", layer.dequantize)


def quanto(generator):
    parity = importlib.import_module("quanto_parity")
    parity.PackedTensor.unpack = parity.unpack
    for what in ("int8", "float8", "int4", "int2"):
        layer = parity.QLinear.from_module(linear(generator, BRAIN), weights=parity.QTYPES[what])
        layer.freeze()
        if what in ("int4", "int2") and type(layer.weight) is not parity.WeightQBitsTensor:
            layer.weight = torch.nn.Parameter(layer.weight.weight_qbits_tensor(),
                                              requires_grad=False)
        yield Case(what, {"quant_method": "quanto", "weights": what, "modules_to_not_convert": []},
                   parity.stored(layer), BRAIN, "optimum-quanto", layer.weight.dequantize)


def mlx(generator):
    parity = importlib.import_module("mlx_parity")
    mx = parity.mx
    mx.set_default_device(mx.cpu)
    dense = mx.array((torch.randn(SHAPE, generator=generator) * 0.05).numpy()).astype(mx.bfloat16)
    for mode, bits, group in (*(("affine", bits, 64) for bits in (4, 6, 2, 3, 5, 8)),
                              ("mxfp4", 4, 32), ("mxfp8", 8, 32), ("nvfp4", 4, 16)):
        made = mx.quantize(dense, group_size=group, bits=bits, mode=mode)
        mx.eval(made)
        names = ("weight", "scales", "biases")[:len(made)]

        def decode(made=made, group=group, bits=bits, mode=mode):
            mx.eval(mx.dequantize(*made, group_size=group, bits=bits, mode=mode, dtype=mx.bfloat16))
        yield Case(f"{mode}, {bits} bits", {"group_size": group, "bits": bits, "mode": mode},
                   {name: parity.to_torch(part) for name, part in zip(names, made)}, BRAIN, "mlx",
                   decode)


def bitnet(generator):
    parity = importlib.import_module("rows_parity")
    packed = parity.bitnet.pack_weights(torch.randint(-1, 2, SHAPE, generator=generator))
    scale = positive((1,), generator, BRAIN)
    yield Case("autobitlinear", {"quant_method": "bitnet", "linear_class": "autobitlinear",
                                 "modules_to_not_convert": []},
               {"weight": packed, "weight_scale": scale}, BRAIN, "transformers",
               lambda: parity.unpack_weights(packed, BRAIN) * scale)


def metal(generator):
    parity = importlib.import_module("rows_parity")
    for bits in (4, 2, 8):
        words = drawn((ROWS, COLUMNS * bits // 32), generator, torch.int32).view(torch.uint32)
        scales, offsets = (positive((ROWS, COLUMNS // 64), generator, BRAIN) for _ in range(2))
        yield Case(f"{bits} bits", {"quant_method": "metal", "bits": bits, "group_size": 64,
                                    "modules_to_not_convert": []},
                   {"weight": words, "scales": scales, "qbiases": offsets}, BRAIN, "transformers",
                   lambda parts=(words, scales, offsets), bits=bits:
                   parity.metal._affine_dequantize_tensor(*parts, 64, bits))


def gemma(generator):
    parity = importlib.import_module("rows_parity")
    layer = parity.gemma_quant.QuantizedLinear(COLUMNS, ROWS, num_bits=4)
    for parameter in layer.parameters():
        parameter.requires_grad = False
    parity.gemma_weight(layer, 4, SHAPE, generator)
    yield Case("4 bits", {"quant_method": "gemma", "num_bits": 4, "quantize_embeddings": True,
                          "modules_to_not_convert": []}, layer.state_dict(), FLOAT, "transformers",
               layer._dequantize_weights)


def aqlm(generator):
    parity = importlib.import_module("codebooks_parity")
    for count, bits in ((2, 8), (1, 16)):
        codes = torch.randint(0, 2 ** bits, (ROWS, COLUMNS // 8, count), generator=generator)
        stored = parity.pack_int_data(codes, bits)
        books = (torch.randn((count, 2 ** bits, 1, 8), generator=generator) * 0.1).to(HALF)
        scales = (torch.rand((ROWS, 1, 1, 1), generator=generator) + 0.5).to(HALF)

        def decode(stored=stored, bits=bits, books=books, scales=scales):
            return parity._dequantize_weight(parity.unpack_int_data(stored, bits), books, scales)
        yield Case(f"{count} x {bits} bits", {
            "quant_method": "aqlm", "num_codebooks": count, "nbits_per_codebook": bits,
            "out_group_size": 1, "in_group_size": 8, "linear_weights_not_to_quantize": []},
            {"codes": stored, "codebooks": books, "scales": scales}, HALF, "aqlm", decode)


def vptq(generator):
    parity = importlib.import_module("codebooks_parity")
    pack, dequant = parity.vptq_functions()
    for residuals in (-1, 256):
        case = (8, 65536, residuals, 1, 0, True, True)
        layer, _, tensors, decode = parity.vector_case(case, HALF, pack, dequant, generator, SHAPE)
        name = "model.layers.0.proj"
        yield Case(f"65536{' and 256' if residuals > 0 else ''} vectors of 8", {
            "quant_method": "vptq", "config_for_layers": {name: layer}, "shared_layer_config": {},
            "modules_to_not_convert": []}, tensors, HALF, "vptq", decode, name=name)


def quark(generator):
    rows = positive((ROWS,), generator)
    groups = torch.randint(110, 130, (ROWS, COLUMNS // 32), generator=generator).to(torch.uint8)
    for what, dtype, codes, scales in (
            ("e4m3 rows", "fp8_e4m3", e4m3(SHAPE, generator), rows),
            ("int8 rows", "int8", drawn(SHAPE, generator, torch.int8), rows),
            ("e2m1 g32", "fp4", drawn((ROWS, COLUMNS // 2), generator), groups)):
        scheme = "per_group" if dtype == "fp4" else "per_channel"
        weight = {"dtype": dtype, "qscheme": scheme, "group_size": 32 if dtype == "fp4" else None}
        yield Case(what, {"quant_method": "quark", "global_quant_config": {"weight": weight},
                          "export": {"pack_method": "reorder"}, "exclude": []},
                   {"weight": codes, "weight_scale": scales}, BRAIN,
                   "no library: the parity tests do not install amd-quark")


def gguf(generator):
    import gguf as package
    for kind in ("Q4_0", "Q5_0", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ1_S", "IQ1_M",
                 "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS", "TQ1_0",
                 "TQ2_0", "MXFP4"):
        type_of = package.GGMLQuantizationType[kind]
        elements, size = package.GGML_QUANT_SIZES[type_of]
        blocks = drawn((ROWS, COLUMNS // elements * size), generator)

        def decode(blocks=blocks.numpy(), type_of=type_of):
            with numpy.errstate(all="ignore"):
                package.quants.dequantize(blocks, type_of)
        yield Case(kind, None, {"weight": blocks}, FLOAT, "gguf", decode)


CASES = {function.__name__.replace("auto_round", "auto-round"): function
         for function in list(globals().values())
         if isinstance(function, types.FunctionType) and function.__module__ == __name__
         and function.__code__.co_varnames[:function.__code__.co_argcount] == ("generator",)}
