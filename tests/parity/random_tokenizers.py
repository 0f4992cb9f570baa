"""Tokenizers made of random components, in tokenizer.json's form: what no fixture happens to use.

random_tokenizer(seed) gives the same one for the same seed. Ids of added tokens are those that the
library gives them.
"""

import base64
import functools
import json
import random

from tokenizer_families import compiled_rules
from tokenizers import Tokenizer

BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
SOLID_PATTERNS = [{"String": " "}, {"String": "a"}, {"String": "the"}, {"String": "."},
                  *({"Regex": regex} for regex in [
                      r"\s+", r"\p{N}{1,3}", r" ?[^(\s|[.,!?…。，、।۔،])]+", r"\s+(?!\S)|\s+",
                      r"(?i:'s|'t)|\p{L}+", r"\w|[^\w\s]"])]
# Also find nothing, everywhere. As normalizers these break the library: it fails in the next one.
PATTERNS = SOLID_PATTERNS + [{"String": ""}, *({"Regex": regex} for regex in [
    r"[aeiou]*", r"\b", "x?", "^", "$"])]
ADDED = ["<s>", "</s>", "<unk>", "[MASK]", "the", "The", "  ", " a", "é", "É", "<|x|>", "<|x|>y",
         "ab", "Straße", "\n\n", "▁", "e", "<s", "you"]
CHARACTERS = list("abcdefghijklmnopqrstuvwxyzABCDEFT0123456789 .,;!?'\"()"
                  "▁éßäöüдмир你好हि\u0301\n\tĠĊâĢ")
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
RULES = ["nfkc", "nmt_nfkc", "nmt_nfkc_cf",
         (("a", "XX"), ("é", "e"), ("the", "y"), ("\r\n", " "), ("ß", ""), ("你", "▁you "))]
DEEPEST = 2


@functools.cache
def charsmap(rule):
    made = compiled_rules("", rule) if isinstance(rule, tuple) else compiled_rules(rule)
    return base64.b64encode(made).decode()


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.pick = self.rng.choice

    def flag(self, share=0.5):
        return self.rng.random() < share

    def sequence(self, member, make, depth):
        parts = [make(depth + 1) for _ in range(self.rng.randint(0, 3))]
        return {"type": "Sequence", member: parts}

    def replace(self, contents, patterns):
        return {"type": "Replace", "pattern": self.pick(patterns), "content": self.pick(contents)}

    def metaspace(self):
        return {"type": "Metaspace", "replacement": "▁", "split": self.flag(),
                "prepend_scheme": self.pick(["first", "always", "never"])}

    def byte_level(self):
        return {"type": "ByteLevel", "add_prefix_space": self.flag(), "trim_offsets": True,
                "use_regex": self.flag()}

    def normalizer(self, depth=0):
        plain = ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"]
        makers = [lambda: {"type": self.pick(plain)},
                  lambda: self.replace(["", " ", "▁", "xx", "é"], SOLID_PATTERNS),
                  lambda: {"type": "Prepend", "prepend": self.pick(["▁", " ", "ab"])},
                  lambda: {"type": "Strip", "strip_left": self.flag(), "strip_right": self.flag()}]
        makers += [lambda: {"type": "ByteLevel"}, lambda: {"type": "Nmt"}, self.bert_normalizer,
                   lambda: {"type": "Precompiled",
                            "precompiled_charsmap": charsmap(self.pick(RULES))}]
        if depth < DEEPEST:
            makers.append(lambda: self.sequence("normalizers", self.normalizer, depth))
        return self.pick(makers)()

    def bert_normalizer(self):
        return {"type": "BertNormalizer", "clean_text": self.flag(), "lowercase": self.flag(),
                "handle_chinese_chars": self.flag(),
                "strip_accents": self.pick([None, True, False])}

    def pre_tokenizer(self, depth=0):
        makers = [lambda: {"type": "Split", "pattern": self.pick(PATTERNS), "invert": self.flag(),
                           "behavior": self.pick(BEHAVIORS)},
                  self.byte_level, self.metaspace,
                  lambda: {"type": "Digits", "individual_digits": self.flag()},
                  lambda: {"type": "Punctuation", "behavior": self.pick(BEHAVIORS)},
                  lambda: {"type": self.pick(["Whitespace", "WhitespaceSplit", "BertPreTokenizer",
                                              "UnicodeScripts"])},
                  lambda: {"type": "CharDelimiterSplit", "delimiter": self.pick(" ae.▁é")},
                  lambda: {"type": "FixedLength", "length": self.rng.randint(1, 9)}]
        if depth < DEEPEST:
            makers.append(lambda: self.sequence("pretokenizers", self.pre_tokenizer, depth))
        return self.pick(makers)()

    def decoder(self, depth=0):
        makers = [self.byte_level, self.metaspace, lambda: self.replace(["", " ", "x"], PATTERNS),
                  lambda: {"type": self.pick(["ByteFallback", "Fuse"])},
                  # No stop: the library fails on tokens that are shorter.
                  lambda: {"type": "Strip", "content": self.pick([" ", "a", "▁"]), "stop": 0,
                           "start": self.rng.randint(0, 2)},
                  lambda: {"type": "WordPiece", "prefix": self.pick(["##", "", "é", "a"]),
                           "cleanup": self.flag()},
                  lambda: {"type": "BPEDecoder", "suffix": self.pick(["</w>", "e", ""])},
                  lambda: {"type": "CTC", "pad_token": self.pick(["e", "<unk>", ""]),
                           "word_delimiter_token": self.pick(["a", "|", ""]),
                           "cleanup": self.flag()}]
        if depth < DEEPEST:
            makers.append(lambda: self.sequence("decoders", self.decoder, depth))
        return self.pick(makers)()

    def model(self):
        return self.pick([self.bpe, self.bpe, self.unigram, self.word_piece, self.word_level])()

    def words(self, most):
        """Tokens, no two equal: characters, some missing, and words of several."""
        found = self.rng.sample(CHARACTERS, self.rng.randint(5, len(CHARACTERS)))
        letters = CHARACTERS[:26] + ["▁", " ", "é"]
        found += ["".join(self.rng.choices(letters, k=self.rng.randint(2, 5)))
                  for _ in range(self.rng.randint(0, most))]
        return list(dict.fromkeys(["<unk>", *found, "the", "you", "▁the", "quick", "ÄĠ"]))

    def unigram(self):
        """Scores of few values, so that many cuts tie, or of all digits, so that rounding tells."""
        words = self.words(3000) + (BYTES if self.flag() else [])
        few = [-float(self.rng.randint(1, 5)) for _ in range(4)]
        close = [-self.rng.uniform(1, 2) for _ in range(4)]
        scores = self.pick([lambda: self.pick(few), lambda: self.pick(close),
                            lambda: -self.rng.uniform(2, 12), lambda: self.rng.uniform(-2, 2)])
        return {"type": "Unigram", "unk_id": self.pick([0, 0, 3]), "byte_fallback": self.flag(),
                "vocab": [[word, scores()] for word in words]}

    def word_piece(self):
        prefix = self.pick(["##", "##", "", "é"])
        words = self.words(600)
        words = list(dict.fromkeys(words + [prefix + word for word in words]))
        return {"type": "WordPiece", "unk_token": "<unk>", "continuing_subword_prefix": prefix,
                "max_input_chars_per_word": self.pick([100, 6, 1000]),
                "vocab": {word: i for i, word in enumerate(words)}}

    def word_level(self):
        return {"type": "WordLevel", "unk_token": "<unk>",
                "vocab": {word: i for i, word in enumerate(self.words(900))}}

    def post_processor(self, size):
        """With ids that there are. The library fails when a template gets more than two texts."""
        def some():
            return self.rng.randrange(size)

        def template():
            text, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
            added = {"SpecialToken": {"id": "x", "type_id": 0}}
            return {"type": "TemplateProcessing", "pair": [text, added, second],
                    "single": self.pick([[added, text], [text, added], [text]]),
                    "special_tokens": {"x": {"id": "x", "ids": [some(), some()],
                                             "tokens": ["x", "y"]}}}

        def sides():
            # What has the members of RoBERTa's is one, whatever its type says.
            made = {"type": "BertProcessing", "sep": ["s", some()], "cls": ["c", some()]}
            roberta = {"type": "RobertaProcessing", "trim_offsets": self.flag(),
                       "add_prefix_space": self.flag()}
            return {**made, **roberta} if self.flag() else made

        makers = [template, sides, self.byte_level]
        if self.flag():
            return self.pick(makers)()
        return {"type": "Sequence", "processors": [self.pick(makers)(), self.pick(makers)()]}

    def bpe(self):
        prefix, suffix = self.pick([None, None, "##", "é"]), self.pick([None, None, "</w>"])
        tokens = ["<unk>"] + (BYTES if self.flag() else [])
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

    def added_tokens(self, normalizer):
        """The library fails on a token that has no text once normalized, and on one that begins
        with white space and swallows more. Of two that are equal once normalized it takes either.
        """
        shown = set()
        for content in self.rng.sample(ADDED, self.rng.randint(0, 7)):
            normal = normalizer.normalize_str(content) if normalizer else content
            normalized = self.flag() and normal != "" and normal not in shown
            shown.add(normal)
            begins_with_space = (normal if normalized else content)[0].isspace()
            yield {"id": 0, "content": content, "single_word": self.flag(0.3),
                   "lstrip": self.flag(0.3) and not begins_with_space, "rstrip": self.flag(0.3),
                   "normalized": normalized, "special": self.flag()}


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
    if maker.flag():
        tokenizer["post_processor"] = maker.post_processor(len(tokenizer["model"]["vocab"]))
    normalizer = Tokenizer.from_str(json.dumps(tokenizer)).normalizer
    added = list(maker.added_tokens(normalizer))
    tokenizer["added_tokens"] = added
    given = json.loads(Tokenizer.from_str(json.dumps(tokenizer)).to_str())["added_tokens"]
    ids = {token["content"]: token["id"] for token in given}
    for token in added:
        token["id"] = ids[token["content"]]
    return tokenizer
