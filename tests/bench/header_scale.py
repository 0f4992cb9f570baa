#!/usr/bin/env python3
"""The header tier on large checkpoints: median wall time of `qspec inspect PATH --json`.

Two checkpoints are made in a temporary folder, true in their headers, configs and quantization
states, their weights holes of sparse files: a llama of 70B in bitsandbytes nf4 in 300 shards, and a
mixture of experts with 30,000 tensors. Of the whole, opening (files, headers, index) and listing
(tensors as Lua values) are measured apart.
"""

import json
import pathlib
import statistics
import struct
import tempfile

import measure

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8192,
    "intermediate_size": 28672, "num_hidden_layers": 80, "num_attention_heads": 64,
    "num_key_value_heads": 8, "vocab_size": 128256, "hidden_act": "silu", "rms_norm_eps": 1e-05,
    "max_position_embeddings": 8192, "tie_word_embeddings": False, "dtype": "bfloat16",
    "attention_bias": False, "mlp_bias": False,
    "rope_parameters": {"rope_theta": 500000.0, "rope_type": "default"},
    "quantization_config": {
        "_load_in_4bit": True, "_load_in_8bit": False, "bnb_4bit_compute_dtype": "bfloat16",
        "bnb_4bit_quant_storage": "uint8", "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": False, "llm_int8_enable_fp32_cpu_offload": False,
        "llm_int8_has_fp16_weight": False, "llm_int8_skip_modules": None,
        "llm_int8_threshold": 6.0, "load_in_4bit": True, "load_in_8bit": False,
        "quant_method": "bitsandbytes"}}
MIXTRAL = {
    "architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "hidden_size": 1024,
    "intermediate_size": 768, "num_hidden_layers": 78, "num_attention_heads": 16,
    "num_key_value_heads": 4, "num_local_experts": 128, "num_experts_per_tok": 8,
    "vocab_size": 32000, "hidden_act": "silu", "rms_norm_eps": 1e-05, "sliding_window": None,
    "max_position_embeddings": 32768, "tie_word_embeddings": False, "dtype": "bfloat16",
    "rope_parameters": {"rope_theta": 1000000.0, "rope_type": "default"}}
WIDTHS = {"BF16": 2, "F32": 4, "U8": 1}


def dense(name, *shape):
    yield name, "BF16", list(shape), None


def nf4(name, *shape):
    """As bitsandbytes writes a linear layer."""
    count = shape[0] * shape[1]
    state = json.dumps({"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16",
                        "shape": list(shape)}).encode()
    yield name, "U8", [count // 2, 1], None
    yield name + ".absmax", "F32", [count // 64], None
    yield name + ".quant_map", "F32", [16], None
    yield name + ".quant_state.bitsandbytes__nf4", "U8", [len(state)], state


def attention(linear, layer, config):
    width, head = config["hidden_size"], config["hidden_size"] // config["num_attention_heads"]
    narrow = config["num_key_value_heads"] * head
    for name, rows in (("q", width), ("k", narrow), ("v", narrow), ("o", width)):
        yield from linear(f"{layer}.self_attn.{name}_proj.weight", rows, width)


def decoder(config, linear, mlp):
    width, vocabulary = config["hidden_size"], config["vocab_size"]
    yield from dense("model.embed_tokens.weight", vocabulary, width)
    for i in range(config["num_hidden_layers"]):
        layer = f"model.layers.{i}"
        yield from attention(linear, layer, config)
        yield from mlp(layer, config)
        yield from dense(f"{layer}.input_layernorm.weight", width)
        yield from dense(f"{layer}.post_attention_layernorm.weight", width)
    yield from dense("model.norm.weight", width)
    yield from dense("lm_head.weight", vocabulary, width)


def llama_mlp(layer, config):
    width, inner = config["hidden_size"], config["intermediate_size"]
    yield from nf4(f"{layer}.mlp.gate_proj.weight", inner, width)
    yield from nf4(f"{layer}.mlp.up_proj.weight", inner, width)
    yield from nf4(f"{layer}.mlp.down_proj.weight", width, inner)


def mixtral_mlp(layer, config):
    width, inner = config["hidden_size"], config["intermediate_size"]
    yield from dense(f"{layer}.block_sparse_moe.gate.weight", config["num_local_experts"], width)
    for i in range(config["num_local_experts"]):
        expert = f"{layer}.block_sparse_moe.experts.{i}"
        yield from dense(f"{expert}.w1.weight", inner, width)
        yield from dense(f"{expert}.w2.weight", width, inner)
        yield from dense(f"{expert}.w3.weight", inner, width)


def write_shard(path, tensors):
    """The header, and what has data; the rest is a hole. -> bytes of tensors"""
    header, end, written = {"__metadata__": {"format": "pt"}}, 0, []
    for name, dtype, shape, data in tensors:
        begin, count = end, 1
        for extent in shape:
            count *= extent
        end = begin + count * WIDTHS[dtype]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
        if data:
            written.append((begin, data))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for begin, data in written:
            file.seek(8 + len(text) + begin)
            file.write(data)
        file.truncate(8 + len(text) + end)
    return end


def write_checkpoint(folder, config, tensors, shards):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    tensors = list(tensors)
    total, weight_map = 0, {}
    for i in range(shards):
        part = tensors[i * len(tensors) // shards:(i + 1) * len(tensors) // shards]
        name = f"model-{i + 1:05}-of-{shards:05}.safetensors"
        total += write_shard(folder / name, part)
        weight_map |= {tensor[0]: name for tensor in part}
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))


def report(options, title, folder, target):
    inspect = [options.program, "inspect", folder, "--json"]
    (seconds,) = measure.in_turn(options.rounds, lambda: measure.timed(inspect, (0, 1))[0])
    script = [options.program, "lua", measure.HERE / "header_scale.lua", folder, options.rounds]
    count, opening, listing = measure.timed(script)[1].split()
    print(f"{title}: {count} tensors in {len(list(folder.glob('*.safetensors')))} shards: "
          f"median {statistics.median(seconds) * 1000:.1f} ms, best {min(seconds) * 1000:.1f} ms "
          f"(target {target} ms); opening {float(opening) * 1000:.1f} ms, "
          f"listing {float(listing) * 1000:.1f} ms")


def main():
    options = measure.options(__doc__, rounds=9, peer=False)
    measure.describe_machine()
    with tempfile.TemporaryDirectory(prefix="qspec-scale-") as name:
        folder = pathlib.Path(name)
        write_checkpoint(folder / "llama", LLAMA, decoder(LLAMA, nf4, llama_mlp), 300)
        write_checkpoint(folder / "mixtral", MIXTRAL, decoder(MIXTRAL, dense, mixtral_mlp), 60)
        report(options, "llama 70B, nf4", folder / "llama", 150)
        report(options, "mixture of experts", folder / "mixtral", 300)


if __name__ == "__main__":
    main()
