#!/usr/bin/env python3
"""A model of Llama's shape with random weights, as transformers would save it, for benchmarks.

    synthetic_llama.py FOLDER [--small] [--nf4] [--seed N]

FOLDER gets config.json, a byte-level tokenizer and sharded safetensors in bfloat16: 32 layers of
4096, as Llama-7B, or with --small 4 of 256. With --nf4 the linears are what bitsandbytes makes of
them, quantized by it. A GPU is used where there is one.
"""

import argparse
import json
import pathlib

import torch

SHARD_BYTES = 4 << 30
LARGE = dict(hidden_size=4096, intermediate_size=11008, num_hidden_layers=32,
             num_attention_heads=32, num_key_value_heads=32, vocab_size=32000)
SMALL = dict(hidden_size=256, intermediate_size=688, num_hidden_layers=4,
             num_attention_heads=4, num_key_value_heads=4, vocab_size=1024)


def config_of(sizes, nf4):
    config = dict(architectures=["LlamaForCausalLM"], model_type="llama", hidden_act="silu",
                  max_position_embeddings=4096, rms_norm_eps=1e-5, rope_theta=10000.0,
                  tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, dtype="bfloat16",
                  use_cache=True, **sizes)
    if nf4:
        config["quantization_config"] = dict(
            _load_in_4bit=True, _load_in_8bit=False, bnb_4bit_compute_dtype="bfloat16",
            bnb_4bit_quant_storage="uint8", bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=False, llm_int8_enable_fp32_cpu_offload=False,
            llm_int8_has_fp16_weight=False, llm_int8_skip_modules=None, llm_int8_threshold=6.0,
            load_in_4bit=True, load_in_8bit=False, quant_method="bitsandbytes")
    return config


def shapes_of(sizes):
    hidden, inner, vocab = sizes["hidden_size"], sizes["intermediate_size"], sizes["vocab_size"]
    yield "model.embed_tokens.weight", (vocab, hidden)
    for layer in range(sizes["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        yield prefix + "input_layernorm.weight", (hidden,)
        for name in "qkvo":
            yield prefix + f"self_attn.{name}_proj.weight", (hidden, hidden)
        yield prefix + "post_attention_layernorm.weight", (hidden,)
        yield prefix + "mlp.gate_proj.weight", (inner, hidden)
        yield prefix + "mlp.up_proj.weight", (inner, hidden)
        yield prefix + "mlp.down_proj.weight", (hidden, inner)
    yield "model.norm.weight", (hidden,)
    yield "lm_head.weight", (vocab, hidden)


def random_weight(shape, generator):
    device = generator.device
    if len(shape) == 1:
        return torch.ones(shape, dtype=torch.bfloat16, device=device)
    values = torch.randn(shape, generator=generator, device=device, dtype=torch.float32)
    return (values * shape[1] ** -0.5).to(torch.bfloat16)


def quantized(name, weight):
    from bitsandbytes import functional
    packed, state = functional.quantize_4bit(weight, blocksize=64, quant_type="nf4")
    yield name, packed
    for key, value in state.as_dict(packed=True).items():
        yield f"{name}.{key}", value


def tensors_of(sizes, nf4, generator):
    for name, shape in shapes_of(sizes):
        weight = random_weight(shape, generator)
        if nf4 and "_proj" in name:
            yield from quantized(name, weight)
        else:
            yield name, weight


DTYPES = {torch.bfloat16: "BF16", torch.float32: "F32", torch.uint8: "U8"}


class Shard:
    """One safetensors file; the header is written last, into the room left for it."""

    ROOM = 1 << 20

    def __init__(self, path):
        self.path, self.header, self.end = path, {}, 0
        self.file = open(path, "wb")
        self.file.seek(self.ROOM)

    def add(self, name, tensor):
        raw = tensor.contiguous().cpu().flatten().view(torch.uint8).numpy()
        self.header[name] = dict(dtype=DTYPES[tensor.dtype], shape=list(tensor.shape),
                                 data_offsets=[self.end, self.end + raw.nbytes])
        raw.tofile(self.file)
        self.end += raw.nbytes

    def close(self):
        text = json.dumps(self.header).encode()
        text += b" " * (self.ROOM - 8 - len(text))
        self.file.seek(0)
        self.file.write(len(text).to_bytes(8, "little") + text)
        self.file.close()


def write_shards(folder, tensors):
    shards, weight_map, total = [], {}, 0
    for name, tensor in tensors:
        if not shards or shards[-1].end > SHARD_BYTES:
            shards.append(Shard(folder / f"shard-{len(shards)}"))
        shards[-1].add(name, tensor)
        weight_map[name] = len(shards) - 1
        total += tensor.numel() * tensor.element_size()
    names = [f"model-{i + 1:05}-of-{len(shards):05}.safetensors" for i in range(len(shards))]
    for shard, name in zip(shards, names):
        shard.close()
        shard.path.rename(folder / name)
    index = dict(metadata=dict(total_size=total),
                 weight_map={name: names[i] for name, i in weight_map.items()})
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def byte_alphabet():
    """GPT-2's letters for bytes, in the order of the bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(b) if b in plain else chr(next(others)) for b in range(256)]


def write_tokenizer(folder, vocab_size):
    vocab = {"<unk>": 0, "<s>": 1, "</s>": 2}
    for piece in byte_alphabet():
        vocab[piece] = len(vocab)
    while len(vocab) < vocab_size:
        vocab[f"Ġw{len(vocab)}"] = len(vocab)
    special = [dict(id=i, content=text, single_word=False, lstrip=False, rstrip=False,
                    normalized=False, special=True) for text, i in list(vocab.items())[:3]]
    byte_level = dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True)
    model = dict(type="BPE", dropout=None, unk_token=None, continuing_subword_prefix=None,
                 end_of_word_suffix=None, fuse_unk=False, byte_fallback=False,
                 ignore_merges=False, vocab=vocab, merges=[])
    tokenizer = dict(version="1.0", truncation=None, padding=None, added_tokens=special,
                     normalizer=None, pre_tokenizer=byte_level, post_processor=None,
                     decoder=byte_level, model=model)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False))
    (folder / "tokenizer_config.json").write_text(json.dumps(dict(
        tokenizer_class="PreTrainedTokenizerFast", bos_token="<s>", eos_token="</s>",
        unk_token="<unk>", pad_token="</s>", clean_up_tokenization_spaces=False)))


def write_model(folder, small=False, nf4=False, seed=0):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sizes = SMALL if small else LARGE
    (folder / "config.json").write_text(json.dumps(config_of(sizes, nf4), indent=2))
    (folder / "generation_config.json").write_text(json.dumps(dict(
        bos_token_id=1, eos_token_id=2, pad_token_id=2, do_sample=False)))
    write_tokenizer(folder, sizes["vocab_size"])
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator(device).manual_seed(seed)
    write_shards(folder, tensors_of(sizes, nf4, generator))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--nf4", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    write_model(options.folder, options.small, options.nf4, options.seed)


if __name__ == "__main__":
    main()
