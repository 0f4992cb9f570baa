"""Token ids and decoded text of qspec against PyPI tokenizers, on strings of many kinds.

    python tokenizer_parity.py QSPEC_PROGRAM [TOKENIZER_JSON...]

Ids with and without special tokens, and both decodings of them, must be equal on every string, and
so must decodings of ids drawn at random; for the files named, or when none is for those of the
examples, for tokenizers built as those of the known families are, and for tokenizers made of random
components. Exit status 1 when one is not; the first few are shown.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile

from random_tokenizers import random_tokenizer
from tokenizer_families import FAMILIES
from tokenizer_texts import SEED, strings
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
WANTED_STRINGS = 5000
RANDOM_TOKENIZERS = 80
STRINGS_OF_EACH = 200
SHOWN = 5

def random_ids(size, count):
    rng = random.Random(SEED)
    return [[rng.randrange(size + 3) for _ in range(rng.randint(1, 24))] for _ in range(count)]


def expected(tokenizer, texts, ids):
    rows = []
    for text in texts:
        with_special = tokenizer.encode(text, add_special_tokens=True).ids
        rows.append([with_special, tokenizer.encode(text, add_special_tokens=False).ids,
                     tokenizer.decode(with_special, skip_special_tokens=False),
                     tokenizer.decode(with_special, skip_special_tokens=True)])
    return rows + [[tokenizer.decode(row, skip_special_tokens=False),
                    tokenizer.decode(row, skip_special_tokens=True)] for row in ids]


def of_qspec(program, path, texts, ids):
    script = pathlib.Path(__file__).with_name("tokenize.lua")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as work:
        json.dump({"texts": texts, "ids": ids}, work)
        work.flush()
        done = subprocess.run([program, "lua", str(script), path, work.name], check=True,
                              stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def compare(program, path, name, choose=lambda texts: texts):
    """How many strings there were and how many are equal; shows the first differences."""
    tokenizer = Tokenizer.from_file(path)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    special = [token.content for token in tokenizer.get_added_tokens_decoder().values()]
    texts = choose(strings(special[:40], WANTED_STRINGS))
    ids = random_ids(tokenizer.get_vocab_size(), len(texts) // 16)
    wanted = expected(tokenizer, texts, ids)
    found = of_qspec(program, path, texts, ids)
    assert len(found) == len(wanted), f"{len(found)} results for {len(wanted)} strings"
    different = [i for i in range(len(wanted)) if wanted[i] != found[i]]
    for i in different[:SHOWN]:
        print(f"{name}: {(texts + ids)[i]!r}")
        for want, got in zip(wanted[i], found[i]):
            if want != got:
                print(f"    wanted {want!r}\n    found  {got!r}")
    return len(wanted), len(wanted) - len(different)


def compare_made(program, name, tokenizer_json, choose=lambda texts: texts):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(tokenizer_json)
        file.flush()
        return compare(program, file.name, name, choose)


def compare_random(program, seed):
    return compare_made(program, f"random tokenizer {seed}", json.dumps(random_tokenizer(seed)),
                        lambda texts: random.Random(seed).sample(texts, STRINGS_OF_EACH))


def report(name, counts):
    total, equal = (sum(column) for column in zip(*counts))
    print(f"{name}: {total} strings, {equal} equal", flush=True)
    return total == equal


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, *paths = sys.argv[1:]
    if paths:
        sys.exit(0 if all([report(path, [compare(program, path, path)]) for path in paths]) else 1)
    shipped = map(str, sorted((ROOT / "examples/models").glob("*/tokenizer.json")))
    results = [report(path, [compare(program, path, path)]) for path in shipped]
    results += [report(name, [compare_made(program, name, make().to_str())])
                for name, make in FAMILIES.items()]
    counts = [compare_random(program, SEED + i) for i in range(RANDOM_TOKENIZERS)]
    results.append(report(f"{RANDOM_TOKENIZERS} random tokenizers", counts))
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
