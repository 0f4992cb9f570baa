"""Token ids and decoded text of qspec against PyPI tokenizers, on strings of many kinds.

    python tokenizer_parity.py QSPEC_PROGRAM [TOKENIZER_JSON...]

Ids with and without special tokens, and both decodings of them, must be equal on every string, and
so must decodings of ids drawn at random; for the files named (those of the examples when none is),
and then for tokenizers made of random components. Exit status 1 when one is not; the
first few are shown.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata

from random_tokenizers import random_tokenizer
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEED = 20240607
WANTED_STRINGS = 3200
RANDOM_TOKENIZERS = 24
STRINGS_OF_EACH = 200
SHOWN = 5

PROSE = """The quick brown fox jumps over the lazy dog. It's said that we'll never know what they've
done, aren't you sure? "Quotes", (brackets), [more] {braces} - dashes -- and... ellipses! Prices:
$1,234.56 or 99%, at 10:30 a.m.; e-mail someone@example.com, see http://example.com/a?b=c&d=e#f.
Zürich, naïve café, coöperate, Ångström, Œuvre, Straße, İstanbul, ΑΘΗΝΑ ὈΔΥΣΣΕΎΣ, Привет, мир!
Les élèves ont mangé; ¿qué pasa, señor? ¡Olé! 你好，世界。 今日は、元気ですか？ 안녕하세요 세계
हिन्दी में नमस्ते। اردو میں سلام، کیا حال ہے؟ שלום עולם! สวัสดีชาวโลก Xin chào thế giới""".split()
CODE = ["def f(x):\n    return x ** 2\n", "for (int i = 0; i < n; ++i) { a[i] += b[i]; }",
        "SELECT * FROM t WHERE a='b';\r\n", "<p class=\"x\">&amp;</p>", "\tif x:\n\t\tpass\n\n\n",
        "#include <stdio.h>", "x=1;y=2;z=x+y", "C:\\path\\to\\file", "a|b||c&&d", "/* **/ // --"]
EMOJI = ["👨‍👩‍👧‍👦", "👩🏽‍🚀", "🏳️‍🌈", "🇩🇪🇫🇷", "❤️", "✌🏿", "🤷‍♀️", "1️⃣", "☺", "😀😁", "👍🏻"]
ODD = ["\u0000", "\u0001\u0002", "\u007f", "\u0085", "\u00a0", "\u00ad", "\u034f", "\u061c",
       "\u1680", "\u180e", "\u2000\u2003\u200a", "\u200b", "\u200c", "\u200d", "\u200e\u200f",
       "\u2028\u2029", "\u202e", "\u2060", "\u2581", "\u3000", "\ufe0f", "\ufeff", "\ufffd",
       "\ufffe", "\uffff",
       "\ud7ff", "\ue000", "\uf8ff", "\U000e0041", "\U000f0000", "\U0010ffff", "ﷺ", "ﬁ", "Ⅷ", "½",
       "e\u0301\u0327", "\u0327\u0301e", "각", "각", "각ᆨ", "q̣̇", "ͅ", "Å", "Ω", "ϓ", "ǆ", "ß", "ẞ",
       "İ", "ı", "ΣΑΣ", "Ġ", "Ċ", "č", "ĉĠthe", "Â", "Ä±", "<0x41>", "<0xFF>", "<0xE2><0x82><0xAC>"]
SPACES = [" ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", " \n ", "\u00a0 ", " \u3000", "     \n\t x"]


def characters():
    """Every assigned character, the private ones included."""
    return [chr(code) for code in range(0x110000)
            if unicodedata.category(chr(code)) not in ("Cn", "Cs")]


def blocks(all_characters):
    """A text for each 64 characters of every block; of ideographs and syllables, a few."""
    texts = []
    for begin in range(0, len(all_characters), 64):
        text = "".join(all_characters[begin:begin + 64])
        rare = 0x3400 <= ord(text[0]) < 0xD7A4 or ord(text[0]) >= 0xE000
        if not rare or begin % (64 * 24) == 0:
            texts.append(text)
    return texts


def strings(special_tokens, count):
    rng = random.Random(SEED)
    everything = characters()
    marks = [c for c in everything if unicodedata.category(c).startswith("M")]
    right_to_left = [c for c in everything if unicodedata.bidirectional(c) in ("R", "AL")]
    special = list(special_tokens) or ["<s>"]

    def some(values, least, most, between=""):
        return between.join(rng.choices(values, k=rng.randint(least, most)))

    def broken(token):
        at = rng.randint(0, len(token))
        return token[:at] + rng.choice([" ", "", "<", "x"]) + token[at + 1:]

    makers = [
        lambda: some(PROSE, 1, 40, " "),
        lambda: some(PROSE, 1, 6) + some(SPACES, 1, 3) + some(PROSE, 1, 6, " "),
        lambda: some(CODE, 1, 5, rng.choice(SPACES)),
        lambda: some("0123456789", 1, 30) + some([".", ",", "e+", " "], 0, 3) + str(rng.random()),
        lambda: some([chr(c) for c in range(32, 127)], 1, 60),
        lambda: some(everything, 1, 40),
        lambda: some(everything, 1, 20, rng.choice([" ", "", "\n"])),
        lambda: "".join(c + some(marks, 0, 4) for c in rng.choices("aeiouAEIOUn가कख", k=12)),
        lambda: some(right_to_left, 1, 30) + " " + some(PROSE, 1, 3, " "),
        lambda: some(EMOJI, 1, 8, rng.choice(["", " ", "\u200d"])),
        lambda: some(ODD, 1, 8, rng.choice(["", " ", "a"])),
        lambda: some(SPACES, 1, 8) + some(PROSE, 0, 2) + some(SPACES, 0, 4),
        lambda: rng.choice(list("a =-.\n가é")) * rng.choice([2, 3, 17, 64, 255, 1000]),
        lambda: some(special + PROSE[:20] + SPACES, 2, 12, rng.choice(["", " "])),
        lambda: some([broken(rng.choice(special)) for _ in range(4)] + SPACES, 1, 6),
        lambda: some([chr(c) for c in range(0x80)], 1, 60),
        lambda: some(["'s", "'t", "'re", "'ve", "'ll", "'d", "'S", "’s", "we", "I", " "], 1, 9),
        lambda: some([chr(c) for c in (*range(0xD7F0, 0xD800), *range(0xE000, 0xE010))], 1, 12),
    ]
    fixed = ["", *PROSE, *CODE, *EMOJI, *ODD, *SPACES, *special, *blocks(everything)]
    made = [makers[i % len(makers)]() for i in range(max(0, count - len(fixed)))]
    return fixed + made


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


def compare_random(program, seed):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(random_tokenizer(seed), file)
        file.flush()
        return compare(program, file.name, f"random tokenizer {seed}",
                       lambda texts: random.Random(seed).sample(texts, STRINGS_OF_EACH))


def report(name, counts):
    total, equal = (sum(column) for column in zip(*counts))
    print(f"{name}: {total} strings, {equal} equal")
    return total == equal


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, *paths = sys.argv[1:]
    paths = paths or sorted((ROOT / "examples/models").glob("*/tokenizer.json"))
    results = [report(path, [compare(program, path, path)]) for path in map(str, paths)]
    counts = [compare_random(program, SEED + i) for i in range(RANDOM_TOKENIZERS)]
    results.append(report(f"{RANDOM_TOKENIZERS} random tokenizers", counts))
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
