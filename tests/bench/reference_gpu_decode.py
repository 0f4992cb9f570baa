"""gpu_decode.lua with transformers: seconds of a prefill and of a decoded token, one row of JSON.

    reference_gpu_decode.py FOLDER BATCH PROMPT NEW REPEATS
"""

import json
import statistics
import sys
import time

import torch
import transformers


def prompts(batch, length):
    return [[3 + (b * 31 + i * 7) % 190 for i in range(1, length + 1)]
            for b in range(1, batch + 1)]


def main():
    folder, (batch, length, new, repeats) = sys.argv[1], map(int, sys.argv[2:])
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, device_map={"": 0},
                                                              dtype=torch.bfloat16)
    inputs = torch.tensor(prompts(batch, length), device=0)

    def seconds(tokens):
        torch.cuda.synchronize()
        began = time.perf_counter()
        with torch.inference_mode():
            found = model.generate(inputs, attention_mask=torch.ones_like(inputs), do_sample=False,
                                   min_new_tokens=tokens, max_new_tokens=tokens)
        torch.cuda.synchronize()
        return time.perf_counter() - began, found

    _, wanted = seconds(new + 1)
    first = [seconds(1)[0] for _ in range(repeats)]
    every = [seconds(new + 1)[0] for _ in range(repeats)]
    prefill = statistics.median(first)
    import bitsandbytes
    print(json.dumps({"prefill": prefill, "token": (statistics.median(every) - prefill) / new,
                      "ids": wanted[0].tolist(),
                      "versions": f"torch {torch.__version__} transformers "
                                  f"{transformers.__version__} bitsandbytes "
                                  f"{bitsandbytes.__version__}"}))


if __name__ == "__main__":
    main()
