#!/usr/bin/env python3
"""Builds broken copies of a quantized checkpoint, one way to be wrong each.

    python3 tests/support/mutants.py --list
    python3 tests/support/mutants.py NAME TARGET [--source DIR] [--dense DIR]

A mutant is a function whose docstring says what is wrong; it edits a Model. `control` is the
copy that nothing was done to.
"""

import argparse
import array
import json
import pathlib
import struct
import sys

import nf4
from checkpoint_copy import STATE, Model
from safetensors_file import Tensor

MODELS = pathlib.Path(__file__).resolve().parents[2] / "examples/models"
COMPANIONS = (".absmax", ".quant_map", STATE + "nf4")

# The module that is broken where one is enough.
VICTIM = "transformer.h.1.mlp.dense_4h_to_h"
VICTIM_WEIGHT = VICTIM + ".weight"
EMBEDDING = "transformer.word_embeddings.weight"

MUTANTS = {}


def mutant(function):
    MUTANTS[function.__name__] = function
    return function


@mutant
def control(model):
    """nothing is wrong"""


@mutant
def control_sharded(model):
    """nothing is wrong, and the weights are in two shards"""
    model.shard()


@mutant
def dense_linear(model):
    """one linear is float16 again, without its exclusion"""
    for suffix in COMPANIONS:
        del model.tensors[VICTIM_WEIGHT + suffix]
    model.tensors[VICTIM_WEIGHT] = model.dense()[VICTIM_WEIGHT]


@mutant
def all_dense(model):
    """every linear is float16, and the config says 4 bits"""
    model.tensors = model.dense()


@mutant
def quantized_head(model):
    """lm_head is quantized"""
    model.quantize_from_dense("lm_head.weight", EMBEDDING)


@mutant
def quantized_embedding(model):
    """the word embeddings are quantized"""
    model.quantize_from_dense(EMBEDDING, EMBEDDING)


@mutant
def absmax_deleted(model):
    """one absmax is missing"""
    del model.tensors[VICTIM_WEIGHT + ".absmax"]


@mutant
def absmax_zeroed(model):
    """one absmax is all zeros"""
    name = VICTIM_WEIGHT + ".absmax"
    model.replace(name, data=bytes(len(model.tensors[name].data)))


@mutant
def absmax_bf16(model):
    """one absmax is bfloat16 in another shape"""
    name = VICTIM_WEIGHT + ".absmax"
    data = model.tensors[name].data
    halves = b"".join(data[i + 2 : i + 4] for i in range(0, len(data), 4))
    model.replace(name, dtype="BF16", shape=[len(data) // 256, 64], data=halves)


def absmax_value(model, value):
    name = VICTIM_WEIGHT + ".absmax"
    model.replace(name, data=model.tensors[name].data[:-4] + struct.pack("<f", value))


@mutant
def nan_absmax(model):
    """one scale is not a number"""
    absmax_value(model, float("nan"))


@mutant
def infinite_absmax(model):
    """one scale is infinite"""
    absmax_value(model, float("inf"))


@mutant
def negative_absmax(model):
    """one scale is negative"""
    absmax_value(model, -1.0)


@mutant
def one_zero_absmax(model):
    """one scale of thousands is zero"""
    absmax_value(model, 0.0)


@mutant
def absmax_short(model):
    """one absmax has a block too few"""
    name = VICTIM_WEIGHT + ".absmax"
    data = model.tensors[name].data[:-4]
    model.replace(name, shape=[len(data) // 4], data=data)


@mutant
def absmax_shifted(model):
    """one absmax is shifted by a block"""
    name = VICTIM_WEIGHT + ".absmax"
    data = model.tensors[name].data
    model.replace(name, data=data[4:] + data[:4])


@mutant
def absmax_of_another(model):
    """two linears of one shape have each other's absmax"""
    first, second = (f"transformer.h.{i}.mlp.dense_4h_to_h.weight.absmax" for i in (1, 2))
    tensors = model.tensors
    tensors[first], tensors[second] = tensors[second], tensors[first]


@mutant
def nibbles_swapped(model):
    """the nibbles of one weight are swapped"""
    swap = bytes((byte & 15) << 4 | byte >> 4 for byte in range(256))
    model.replace(VICTIM_WEIGHT, data=model.tensors[VICTIM_WEIGHT].data.translate(swap))


def relabel_tensors(model, quant_map=None):
    for weight in model.packed_weights():
        model.edit_state(weight, quant_type="fp4")
        state = model.tensors.pop(weight + STATE + "nf4")
        model.tensors[weight + STATE + "fp4"] = state
        if quant_map:
            model.replace(weight + ".quant_map", data=quant_map)


@mutant
def relabelled_fp4_tensors(model):
    """the tensors' own states say fp4, the config says nf4"""
    relabel_tensors(model)


@mutant
def relabelled_fp4_config(model):
    """the config says fp4, the tensors say nf4"""
    model.config["quantization_config"]["bnb_4bit_quant_type"] = "fp4"


@mutant
def relabelled_fp4_both(model):
    """config and states say fp4, the codebooks are nf4's"""
    relabel_tensors(model)
    relabelled_fp4_config(model)


@mutant
def relabelled_fp4_whole(model):
    """config, states and codebooks say fp4; only the codes are nf4's"""
    relabel_tensors(model, nf4.FP4_CODEBOOK.tobytes())
    relabelled_fp4_config(model)


@mutant
def quant_map_altered(model):
    """one codebook has a wrong entry"""
    book = array.array("f", nf4.CODEBOOK)
    book[3] = 0.5
    model.replace(VICTIM_WEIGHT + ".quant_map", data=book.tobytes())


@mutant
def quant_map_deleted(model):
    """one codebook is missing"""
    del model.tensors[VICTIM_WEIGHT + ".quant_map"]


@mutant
def quant_state_deleted(model):
    """one quant_state is missing"""
    del model.tensors[VICTIM_WEIGHT + STATE + "nf4"]


@mutant
def quant_state_json_broken(model):
    """one quant_state is no JSON"""
    name = VICTIM_WEIGHT + STATE + "nf4"
    model.set_state(name, model.tensors[name].data[:-1])


@mutant
def quant_state_unknown_key(model):
    """one quant_state has a key that bitsandbytes refuses"""
    model.edit_state(VICTIM_WEIGHT, group_size=64)


@mutant
def quant_state_block_size(model):
    """one quant_state names a block size that its absmax does not have"""
    model.edit_state(VICTIM_WEIGHT, blocksize=128)


@mutant
def quant_state_shape(model):
    """one quant_state names a transposed shape"""
    model.edit_state(VICTIM_WEIGHT, shape=[1024, 256])


@mutant
def quant_state_huge_shape(model):
    """one quant_state names a shape of 2^62 elements"""
    model.edit_state(VICTIM_WEIGHT, shape=[2**31, 2**31])


@mutant
def packed_weight_flat(model):
    """one packed weight has lost its second dimension"""
    name = VICTIM_WEIGHT
    model.replace(name, shape=[len(model.tensors[name].data)])


@mutant
def packed_weight_short(model):
    """one packed weight has lost its last rows"""
    data = model.tensors[VICTIM_WEIGHT].data[:-512]
    model.replace(VICTIM_WEIGHT, shape=[len(data), 1], data=data)


@mutant
def extra_companion(model):
    """one 4-bit weight has an SCB, which only int8 has"""
    model.tensors[VICTIM + ".SCB"] = Tensor("F32", [256], bytes(1024))


@mutant
def orphan_nested(model):
    """one weight has nested_absmax and is not double quantized"""
    model.tensors[VICTIM_WEIGHT + ".nested_absmax"] = Tensor("F32", [16], bytes(64))


@mutant
def orphan_companions(model):
    """companions of a weight that is not there"""
    ghost = "transformer.h.9.mlp.dense_4h_to_h.weight"
    for suffix in COMPANIONS:
        model.tensors[ghost + suffix] = model.tensors[VICTIM_WEIGHT + suffix]


@mutant
def bias_lost(model):
    """one linear has lost its bias"""
    del model.tensors[VICTIM + ".bias"]


@mutant
def norm_bf16(model):
    """one layer norm is bfloat16 among float16"""
    model.replace("transformer.h.1.input_layernorm.weight", dtype="BF16", data=b"\x80\x3f" * 256)


@mutant
def weight_lost(model):
    """one linear has lost its packed weight and companions"""
    for suffix in ("", *COMPANIONS):
        del model.tensors[VICTIM_WEIGHT + suffix]


@mutant
def layers_swapped(model):
    """two layers have exchanged their packed weights"""
    first, second = (f"transformer.h.{i}.mlp.dense_4h_to_h.weight" for i in (1, 2))
    for suffix in ("", *COMPANIONS):
        tensors = model.tensors
        one, other = tensors[first + suffix], tensors[second + suffix]
        tensors[first + suffix], tensors[second + suffix] = other, one


@mutant
def embedding_swapped(model):
    """the halves of the word embeddings are exchanged"""
    data = model.tensors[EMBEDDING].data
    half = len(data) // 2
    model.replace(EMBEDDING, data=data[half:] + data[:half])


@mutant
def config_removed(model):
    """the quantization_config is gone"""
    del model.config["quantization_config"]


@mutant
def config_int8(model):
    """the config says int8, the tensors are 4-bit"""
    model.config["quantization_config"] |= {
        "load_in_4bit": False, "_load_in_4bit": False, "load_in_8bit": True, "_load_in_8bit": True}


@mutant
def config_method_unknown(model):
    """the config's quant_method is a typo"""
    model.config["quantization_config"]["quant_method"] = "bitsandbites"


@mutant
def config_unknown_key(model):
    """the quantization_config has a key that nothing knows"""
    model.config["quantization_config"]["bnb_4bit_quant_tpye"] = "nf4"


@mutant
def config_wrong_type(model):
    """a number of the quantization_config is a string"""
    model.config["quantization_config"]["llm_int8_threshold"] = "6.0"


@mutant
def config_dead_exclusion(model):
    """the config excludes a module that is not there"""
    model.config["quantization_config"]["llm_int8_skip_modules"] = ["lm_heed"]


@mutant
def config_exclusion_ignored(model):
    """the config excludes a module that is quantized"""
    model.config["quantization_config"]["llm_int8_skip_modules"] = ["lm_head", VICTIM]


@mutant
def stale_config_on_dense(model):
    """the full-precision model with a quantization_config"""
    model.tensors = model.dense()
    quantization = model.config["quantization_config"]
    model.config = json.loads((model.dense_folder / "config.json").read_text())
    model.config["quantization_config"] = quantization


@mutant
def ghost_entry(model):
    """the index names a tensor that is in no shard"""
    model.shard()
    model.index["weight_map"]["transformer.h.4.mlp.dense_4h_to_h.weight"] = next(iter(model.shards))


@mutant
def misplaced_entry(model):
    """the index places a tensor in the other shard"""
    model.shard()
    model.index["weight_map"][VICTIM_WEIGHT] = next(
        file for file, names in model.shards.items() if VICTIM_WEIGHT not in names)


@mutant
def unlisted_tensor(model):
    """a shard holds a tensor that the index does not name"""
    model.shard()
    del model.index["weight_map"][VICTIM + ".bias"]


@mutant
def missing_shard(model):
    """a shard that the index names is not there"""
    model.shard()
    model.shards.popitem()


@mutant
def duplicate_in_two_shards(model):
    """one tensor is in both shards"""
    model.shard()
    first, second = model.shards.values()
    second.append(first[0])


@mutant
def wrong_total_size(model):
    """the index's total_size is not the sum"""
    model.shard()
    model.index["metadata"]["total_size"] += 4096


@mutant
def truncated(model):
    """the weights file ends 1,000 bytes early"""
    model.cut = 1000


def build(name, target, source=MODELS / "bloom-tiny-bnb-nf4", dense=MODELS / "bloom-tiny"):
    model = Model(source, dense)
    MUTANTS[name](model)
    model.save(target)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="name the mutants and what is wrong")
    parser.add_argument("name", nargs="?", choices=MUTANTS, metavar="NAME")
    parser.add_argument("target", nargs="?", type=pathlib.Path, metavar="TARGET")
    parser.add_argument("--source", type=pathlib.Path, default=MODELS / "bloom-tiny-bnb-nf4")
    parser.add_argument("--dense", type=pathlib.Path, default=MODELS / "bloom-tiny")
    options = parser.parse_args()
    if options.list:
        for name, function in MUTANTS.items():
            print(f"{name:<26} {function.__doc__}")
    elif options.name and options.target:
        build(options.name, options.target, options.source, options.dense)
    else:
        parser.error("NAME and TARGET are wanted, or --list")


if __name__ == "__main__":
    sys.exit(main())
