"""For generate_speed.py: what generate_speed.lua does, with transformers."""

import json
import statistics
import sys
import time

import torch
import transformers

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
folder, batch, length, new, repeats = sys.argv[1], *map(int, sys.argv[2:])
model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
ids = torch.tensor([[3 + (b * 31 + i * 7) % 190 for i in range(1, length + 1)]
                    for b in range(1, batch + 1)])
mask = torch.ones_like(ids)


def seconds(tokens):
    began = time.perf_counter()
    with torch.no_grad():
        model.generate(ids, attention_mask=mask, do_sample=False, max_new_tokens=tokens,
                       min_new_tokens=tokens, eos_token_id=None, pad_token_id=0)
    return time.perf_counter() - began


seconds(2)
first, every = [], []
for _ in range(repeats):
    first.append(seconds(1))
    every.append(seconds(new + 1))
prefill = statistics.median(first)
print(json.dumps({"prefill": prefill, "token": (statistics.median(every) - prefill) / new}))
