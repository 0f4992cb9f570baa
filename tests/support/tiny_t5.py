"""A T5 of one layer and a half, with weights out of a seeded generator and bloom-tiny's tokenizer.

    tests/support/tiny_t5.py FOLDER [--without TENSOR] [KEY=VALUE...]

KEY=VALUE changes config.json alone, VALUE being JSON. `--without` leaves a tensor out.
"""

import argparse
import json
import pathlib
import random
import shutil
import struct

from safetensors_file import Tensor, write_safetensors

TOKENIZER = pathlib.Path(__file__).resolve().parents[2] / "examples/models/bloom-tiny"
WIDTH, HEADS, HEAD, INNER, VOCABULARY, BUCKETS = 64, 4, 16, 128, 1472, 8
CONFIG = {
    "model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "dtype": "float16",
    "vocab_size": VOCABULARY, "d_model": WIDTH, "d_kv": HEAD, "d_ff": INNER, "num_heads": HEADS,
    "num_layers": 1, "num_decoder_layers": 1, "feed_forward_proj": "gated-gelu",
    "relative_attention_num_buckets": BUCKETS, "relative_attention_max_distance": 16,
    "tie_word_embeddings": False, "decoder_start_token_id": 3, "eos_token_id": 2,
    "pad_token_id": 3,
}


def attention(prefix, has_bias):
    shapes = {f"{prefix}.{part}.weight": [WIDTH, WIDTH] for part in "qkvo"}
    if has_bias:
        shapes[f"{prefix}.relative_attention_bias.weight"] = [BUCKETS, HEADS]
    return shapes


def feed_forward(prefix):
    return {f"{prefix}.DenseReluDense.wi_0.weight": [INNER, WIDTH],
            f"{prefix}.DenseReluDense.wi_1.weight": [INNER, WIDTH],
            f"{prefix}.DenseReluDense.wo.weight": [WIDTH, INNER]}


def shapes():
    encoder, decoder = "encoder.block.0.layer", "decoder.block.0.layer"
    norms = [f"{encoder}.0", f"{encoder}.1", f"{decoder}.0", f"{decoder}.1", f"{decoder}.2"]
    return {
        "shared.weight": [VOCABULARY, WIDTH],
        **attention(f"{encoder}.0.SelfAttention", True), **feed_forward(f"{encoder}.1"),
        **attention(f"{decoder}.0.SelfAttention", True),
        **attention(f"{decoder}.1.EncDecAttention", False), **feed_forward(f"{decoder}.2"),
        **{f"{name}.layer_norm.weight": [WIDTH] for name in norms},
        "encoder.final_layer_norm.weight": [WIDTH], "decoder.final_layer_norm.weight": [WIDTH],
        "lm_head.weight": [VOCABULARY, WIDTH],
    }


def tensor(shape, generator):
    count = 1
    for size in shape:
        count *= size
    centre, spread = (1, 0.3) if len(shape) == 1 else (0, 0.25)
    values = [generator.gauss(centre, spread) for _ in range(count)]
    return Tensor("F16", shape, struct.pack(f"<{count}e", *values))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--without")
    parser.add_argument("changes", nargs="*")
    arguments = parser.parse_args()
    folder, generator = arguments.folder, random.Random(5)
    folder.mkdir(parents=True, exist_ok=True)
    changes = {key: json.loads(value) for key, _, value in
               (change.partition("=") for change in arguments.changes)}
    (folder / "config.json").write_text(json.dumps({**CONFIG, **changes}, indent=2))
    tensors = {name: tensor(shape, generator) for name, shape in shapes().items()}
    tensors.pop(arguments.without, None)
    write_safetensors(folder / "model.safetensors", {"format": "pt"}, tensors)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(TOKENIZER / name, folder / name)


if __name__ == "__main__":
    main()
