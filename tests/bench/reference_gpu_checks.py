"""The six checks of gpu_time_to_verdict.py with transformers and bitsandbytes, on the GPU.

    reference_gpu_checks.py FOLDER [--quantize]

Writes JSON to stdout: what was found, the texts, and the seconds of each phase. Ends with exit code
1 when a check fails.
"""

import argparse
import json
import sys
import time

began = time.perf_counter()

import bitsandbytes  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402

from gpu_cases import MAX_NEW_TOKENS, PROMPTS, RATIO  # noqa: E402

phases = {}


def end_phase(name):
    global began
    torch.cuda.synchronize()
    now = time.perf_counter()
    phases[name] = round(now - began, 3)
    began = now


def load(folder, quantize):
    config = transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)
    return transformers.AutoModelForCausalLM.from_pretrained(
        folder, device_map={"": 0}, dtype=torch.bfloat16,
        **(dict(quantization_config=config) if quantize else {}))


def generate(model, tokenizer):
    tokenizer.padding_side = "left"
    inputs = tokenizer(PROMPTS, return_tensors="pt", padding=True).to(0)
    outputs = model.generate(**inputs, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
    return tokenizer.batch_decode(outputs, skip_special_tokens=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--quantize", action="store_true")
    options = parser.parse_args()
    end_phase("import")
    torch.zeros(1, device=0)
    end_phase("cuda")
    model = load(options.folder, options.quantize)
    tokenizer = transformers.AutoTokenizer.from_pretrained(options.folder)
    end_phase("load")
    linears = {name: module for name, module in model.named_modules()
               if isinstance(module, torch.nn.Linear) and name != "lm_head"}
    dense = sum(p.numel() * (4 if p.dtype == torch.uint8 else 2) for p in model.parameters())
    ratio = dense / model.get_memory_footprint()
    config = model.config.quantization_config
    texts = generate(model, tokenizer)
    end_phase("generate")
    written = transformers.BitsAndBytesConfig.from_dict(json.loads(config.to_json_string(False)))
    checks = {
        "memory": RATIO[0] <= ratio <= RATIO[1],
        "layers": all(isinstance(m, bitsandbytes.nn.Linear4bit) for m in linears.values()),
        "dtypes": all(m.weight.dtype == torch.uint8 for m in linears.values()),
        "config": config.load_in_4bit and config.bnb_4bit_quant_type == "nf4",
        "generates": all(text.startswith(prompt) for text, prompt in zip(texts, PROMPTS)),
        "round trip": written.to_dict() == config.to_dict(),
    }
    end_phase("checks")
    print(json.dumps(dict(checks=checks, ratio=ratio, texts=texts, phases=phases,
                          versions=dict(torch=torch.__version__,
                                        transformers=transformers.__version__,
                                        bitsandbytes=bitsandbytes.__version__))))
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
