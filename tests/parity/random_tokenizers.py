"""Tokenizers made of random components, in tokenizer.json's form: what no fixture happens to use.

random_tokenizer(seed) gives the same one for the same seed. Ids of added tokens are those that the
library gives them.
"""

import json
import random

from tokenizers import Tokenizer

BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
PATTERNS = [{"String": " "}, {"String": "a"}, {"String": "the"}, {"String": "."}, {"String": ""},
            *({"Regex": regex} for regex in [
                r"\s+", r"\p{N}{1,3}", r"[aeiou]*", r" ?[^(\s|[.,!?…。，、।۔،])]+", r"\b",
                r"\s+(?!\S)|\s+", r"(?i:'s|'t)|\p{L}+", r"\w|[^\w\s]", "x?", "^", "$"])]
ADDED = ["<s>", "</s>", "<unk>", "[MASK]", "the", "The", "  ", " a", "é", "É", "<|x|>", "<|x|>y",
         "ab", "Straße", "\n\n", "▁", "e", "<s", "you"]
CHARACTERS = list("abcdefghijklmnopqrstuvwxyzABCDEFT0123456789 .,;!?'\"()"
                  "▁éßäöüдмир你好हि\u0301\n\tĠĊâĢ")
DEEPEST = 2


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.pick = self.rng.choice

    def flag(self, share=0.5):
        return self.rng.random() < share

    def sequence(self, member, make, depth):
        parts = [make(depth + 1) for _ in range(self.rng.randint(0, 3))]
        return {"type": "Sequence", member: parts}

    def replace(self, contents):
        return {"type": "Replace", "pattern": self.pick(PATTERNS), "content": self.pick(contents)}

    def metaspace(self):
        return {"type": "Metaspace", "replacement": "▁", "split": self.flag(),
                "prepend_scheme": self.pick(["first", "always", "never"])}

    def byte_level(self):
        return {"type": "ByteLevel", "add_prefix_space": self.flag(), "trim_offsets": True,
                "use_regex": self.flag()}

    def normalizer(self, depth=0):
        plain = ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"]
        makers = [lambda: {"type": self.pick(plain)},
                  lambda: self.replace(["", " ", "▁", "xx", "é"]),
                  lambda: {"type": "Prepend", "prepend": self.pick(["▁", " ", "ab"])},
                  lambda: {"type": "Strip", "strip_left": self.flag(), "strip_right": self.flag()}]
        if depth < DEEPEST:
            makers.append(lambda: self.sequence("normalizers", self.normalizer, depth))
        return self.pick(makers)()

    def pre_tokenizer(self, depth=0):
        makers = [lambda: {"type": "Split", "pattern": self.pick(PATTERNS), "invert": self.flag(),
                           "behavior": self.pick(BEHAVIORS)},
                  self.byte_level, self.metaspace,
                  lambda: {"type": "Digits", "individual_digits": self.flag()},
                  lambda: {"type": "Punctuation", "behavior": self.pick(BEHAVIORS)},
                  lambda: {"type": self.pick(["Whitespace", "WhitespaceSplit"])}]
        if depth < DEEPEST:
            makers.append(lambda: self.sequence("pretokenizers", self.pre_tokenizer, depth))
        return self.pick(makers)()

    def decoder(self, depth=0):
        makers = [self.byte_level, self.metaspace, lambda: self.replace(["", " ", "x"]),
                  lambda: {"type": self.pick(["ByteFallback", "Fuse"])},
                  # No stop: the library fails on tokens that are shorter.
                  lambda: {"type": "Strip", "content": self.pick([" ", "a", "▁"]), "stop": 0,
                           "start": self.rng.randint(0, 2)}]
        if depth < DEEPEST:
            makers.append(lambda: self.sequence("decoders", self.decoder, depth))
        return self.pick(makers)()

    def model(self):
        prefix, suffix = self.pick([None, None, "##", "é"]), self.pick([None, None, "</w>"])
        tokens = ["<unk>"] + ([f"<0x{byte:02X}>" for byte in range(256)] if self.flag() else [])
        plain = [start + character + end for start in {"", prefix or ""}
                 for character in CHARACTERS for end in {"", suffix or ""}]
        plain = sorted(set(plain))
        known, merges = set(plain), []
        for _ in range(self.rng.randint(0, 1500)):
            left, right = self.pick(plain), self.pick(plain)
            if not right.startswith(prefix or ""):
                continue
            joined = left + right[len(prefix or ""):]
            if len(joined) > 14:
                continue
            if joined not in known:
                known.add(joined)
                plain.append(joined)
            merges.append([left, right])
        if self.flag() and not any(" " in left + right for left, right in merges):
            merges = [f"{left} {right}" for left, right in merges]
        vocab = {token: i for i, token in enumerate(dict.fromkeys(tokens + plain))}
        return {"type": "BPE", "dropout": None, "unk_token": self.pick([None, "<unk>"]),
                "continuing_subword_prefix": prefix, "end_of_word_suffix": suffix,
                "fuse_unk": self.flag(), "byte_fallback": self.flag(), "ignore_merges": self.flag(),
                "vocab": vocab, "merges": merges}

    def added_token(self, content, normalizer):
        # The library fails on a token that has no text once normalized, and on one that begins with
        # white space and swallows more.
        vanishes = normalizer is not None and normalizer.normalize_str(content) == ""
        return {"id": 0, "content": content, "single_word": self.flag(0.3),
                "lstrip": self.flag(0.3) and not content[0].isspace(), "rstrip": self.flag(0.3),
                "normalized": self.flag() and not vanishes, "special": self.flag()}


def random_tokenizer(seed):
    maker = Maker(seed)
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
        "normalizer": maker.normalizer() if maker.flag(0.7) else None,
        "pre_tokenizer": maker.pre_tokenizer() if maker.flag(0.85) else None,
        "post_processor": None,
        "decoder": maker.decoder() if maker.flag(0.8) else None,
        "model": maker.model(),
    }
    normalizer = Tokenizer.from_str(json.dumps(tokenizer)).normalizer
    contents = maker.rng.sample(ADDED, maker.rng.randint(0, 7))
    added = [maker.added_token(content, normalizer) for content in contents]
    tokenizer["added_tokens"] = added
    given = json.loads(Tokenizer.from_str(json.dumps(tokenizer)).to_str())["added_tokens"]
    ids = {token["content"]: token["id"] for token in given}
    for token in added:
        token["id"] = ids[token["content"]]
    return tokenizer
