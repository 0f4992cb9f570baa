"""Texts that tell tokenizers apart: words of many scripts, code, emoji, and what is rare."""

import functools
import random
import unicodedata

SEED = 20240607

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


@functools.cache
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
