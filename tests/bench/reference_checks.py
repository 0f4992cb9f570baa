"""The six checks as a careful person writes them with transformers and bitsandbytes, on the CPU.

Ends with exit code 1 when one of them fails.
"""

import json
import pathlib
import sys

import bitsandbytes
import torch
import transformers

MODELS = pathlib.Path(__file__).resolve().parents[2] / "examples/models"
RATIO = (2.0, 3.2)


def main():
    quantized_folder, dense_folder = MODELS / "bloom-tiny-bnb-nf4", MODELS / "bloom-tiny"
    load = transformers.AutoModelForCausalLM.from_pretrained
    quantized = load(quantized_folder, device_map="cpu")
    dense = load(dense_folder, dtype=torch.float16)
    tokenizer = transformers.AutoTokenizer.from_pretrained(quantized_folder)
    reference = json.loads((quantized_folder / "reference.json").read_text())

    ratio = dense.get_memory_footprint() / quantized.get_memory_footprint()
    linears = {name: module for name, module in quantized.named_modules()
               if isinstance(module, torch.nn.Linear) and name != "lm_head"}
    config = quantized.config.quantization_config
    generation = reference["generations"][0]
    inputs = tokenizer(generation["prompt"], return_tensors="pt")
    output = quantized.generate(**inputs, max_new_tokens=10, do_sample=False)[0].tolist()
    accepted = [g["output_ids"][: len(output)] for g in reference["generations"]]
    written = transformers.BitsAndBytesConfig.from_dict(json.loads(config.to_json_string(False)))
    checks = {
        "memory": RATIO[0] <= ratio <= RATIO[1],
        "layers": all(isinstance(m, bitsandbytes.nn.Linear4bit) for m in linears.values()),
        "dtypes": all(m.weight.dtype == torch.uint8 for m in linears.values()),
        "config": config.load_in_4bit and config.bnb_4bit_quant_type == "nf4",
        "generates": output in accepted,
        "round trip": written.to_dict() == config.to_dict(),
    }
    for name, passed in checks.items():
        print(name, "pass" if passed else "FAIL")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
