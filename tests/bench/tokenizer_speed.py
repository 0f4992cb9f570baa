"""How fast text becomes token ids, in one thread, for tokenizers built as those of real families.

    .qspec/parity/bin/python tests/bench/tokenizer_speed.py [--families gpt2,t5]

Two texts of 1 MB: lines of 1 kB of prose, and one word without an end. The peer is PyPI tokenizers,
whose cache of words holds through all rounds; each side takes its best round.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

os.environ["RAYON_NUM_THREADS"] = "1"
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/parity"))

from tokenizer_families import FAMILIES  # noqa: E402
from tokenizer_texts import PROSE  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

BYTES = 1_000_000
USUAL = "gpt2,llama2,llama3,bloom,gemma,t5,xlm_roberta,bert_uncased,transfo_xl"


def prose(rng):
    lines, size = [], 0
    while size < BYTES:
        lines.append(" ".join(rng.choices(PROSE, k=120)))
        size += len(lines[-1].encode())
    return lines


def endless_word(rng):
    return ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=BYTES))]


def of_library(path, texts, rounds):
    tokenizer = Tokenizer.from_file(path)

    def seconds():
        began = time.perf_counter()
        for text in texts:
            tokenizer.encode(text, add_special_tokens=False).ids
        return time.perf_counter() - began

    return min(seconds() for _ in range(rounds))


def of_qspec(program, path, lists, rounds):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(lists, file)
        file.flush()
        script = pathlib.Path(__file__).with_suffix(".lua")
        done = subprocess.run([program, "lua", script, path, file.name, str(rounds)], check=True,
                              stdout=subprocess.PIPE)
    return [min(taken) for taken in json.loads(done.stdout)]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / ".qspec/build/release/qspec")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--families", default=USUAL, help=f"of {', '.join(FAMILIES)}")
    options = parser.parse_args()
    rng = random.Random(1)
    lists = {"prose": prose(rng), "one word": endless_word(rng)}
    print(f"{'':16} {'text':10} {'qspec':>10} {'tokenizers':>12}   MB/s")
    for family in options.families.split(","):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(FAMILIES[family]().to_str())
            file.flush()
            ours = of_qspec(options.program, file.name, list(lists.values()), options.rounds)
            for seconds, (name, texts) in zip(ours, lists.items()):
                size = sum(len(text.encode()) for text in texts) / 1e6
                peer = of_library(file.name, texts, options.rounds)
                print(f"{family:16} {name:10} {size / seconds:10.2f} {size / peer:12.2f}",
                      flush=True)


if __name__ == "__main__":
    main()
