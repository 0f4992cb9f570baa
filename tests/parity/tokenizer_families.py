"""Tokenizers built as those of real model families are, trained here on a small text.

FAMILIES maps a name to a function without arguments that returns a tokenizers.Tokenizer: the same
components with the same options as the family's tokenizer.json, only the vocabulary is small.
"""

import io
import json
import random
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers,
                        pre_tokenizers, processors, trainers)
from tokenizer_texts import CODE, EMOJI, ODD, PROSE

MARK = "▁"
GPT2_WORDS = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
LLAMA3_WORDS = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
                r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2_WORDS = LLAMA3_WORDS.replace("{1,3}", "")
BLOOM_WORDS = r" ?[^(\s|[.,!?…。，、।۔،])]+"
O200K_WORDS = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
               r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
               r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|"
               r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK_TEXT = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?"
                 r"[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
CLIP_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def corpus():
    """Lines of words as they are, and of words put together from halves of two."""
    rng = random.Random(7)

    def word():
        left, right = rng.choices(PROSE, k=2)
        at = rng.randint(1, 5)
        return left if rng.random() < 0.5 else left[:at] + right[at:]

    lines = [" ".join(word() for _ in range(rng.randint(4, 16))) for _ in range(3000)]
    return lines + CODE * 20 + [" ".join(EMOJI)] * 5 + ODD


def trained(tokenizer, trainer):
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


def changed(tokenizer, **members):
    """The same with other members in its file."""
    return Tokenizer.from_str(json.dumps({**json.loads(tokenizer.to_str()), **members}))


def special(*contents, **flags):
    return [AddedToken(content, special=True, normalized=False, **flags) for content in contents]


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


def bytes_of(add_prefix_space=False, use_regex=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=use_regex)


def template(tokenizer, single, pair="$A $B"):
    names = [name for name in single.split() if not name.startswith("$")]
    return processors.TemplateProcessing(
        single=single, pair=pair, special_tokens=[(n, tokenizer.token_to_id(n)) for n in names])


def byte_level_bpe(pre, begin, norm=None, size=4000, **options):
    """BPE over GPT-2's alphabet, with `begin` as special tokens."""
    tokenizer = Tokenizer(models.BPE(**options))
    if norm:
        tokenizer.normalizer = norm
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    return trained(tokenizer, trainers.BpeTrainer(
        vocab_size=size, special_tokens=special(*begin), show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))


def sentencepiece_bpe(begin, norm, size=4000):
    """BPE as converted from SentencePiece: no pre-tokenizer, unknown characters become bytes."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trained(tokenizer, trainers.BpeTrainer(
        vocab_size=size, special_tokens=special(*begin) + special(*BYTES), show_progress=False,
        limit_alphabet=150))
    state = tokenizer.model
    tokenizer = Tokenizer(state)
    tokenizer.add_special_tokens(special(*begin))
    tokenizer.normalizer = norm
    return tokenizer


def compiled_rules(rule, rows=None):
    """The bytes of SentencePiece's compiled rules: of a name, or made of (text, replacement)."""
    made = io.BytesIO()
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        options = {"normalization_rule_name": rule}
        if rows:
            for text, replacement in rows:
                file.write("\t".join(" ".join(f"{ord(c):X}" for c in part)
                                     for part in (text, replacement)) + "\n")
            file.flush()
            options = {"normalization_rule_tsv": file.name}
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a few words to train on"] * 9), model_writer=made,
            vocab_size=20, hard_vocab_limit=False, minloglevel=3, **options)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(made.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


def charsmap(rule, rows=None):
    return normalizers.Precompiled(compiled_rules(rule, rows))


def unigram(begin, unk, norm, pre, decoder=None, alphabet=(), size=4000):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = norm
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoder or decoders.Metaspace()
    return trained(tokenizer, trainers.UnigramTrainer(
        vocab_size=size, special_tokens=special(*begin), unk_token=unk, show_progress=False,
        initial_alphabet=list(alphabet)))


def wordpiece(norm, post=None, size=4000):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = norm
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trained(tokenizer, trainers.WordPieceTrainer(
        vocab_size=size, show_progress=False, limit_alphabet=200,
        special_tokens=special("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")))
    tokenizer.post_processor = post(tokenizer) if post else template(
        tokenizer, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1")
    return tokenizer


def gpt2():
    tokenizer = byte_level_bpe(bytes_of(use_regex=True), ["<|endoftext|>"])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def roberta():
    tokenizer = byte_level_bpe(bytes_of(True, True), ["<s>", "<pad>", "</s>", "<unk>"])
    tokenizer.add_special_tokens(special("<mask>", lstrip=True))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def llama2():
    tokenizer = sentencepiece_bpe(["<unk>", "<s>", "</s>"], normalizers.Sequence(
        [normalizers.Prepend(MARK), normalizers.Replace(" ", MARK)]))
    tokenizer.decoder = decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(),
                                           decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = template(tokenizer, "<s> $A")
    return tokenizer


def llama_of_transformers():
    tokenizer = changed(llama2(), normalizer=None)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    return tokenizer


def phi3():
    tokenizer = llama2()
    tokenizer.add_special_tokens(special("<|endoftext|>"))
    tokenizer.add_special_tokens(special("<|assistant|>", "<|user|>", "<|end|>", rstrip=True))
    tokenizer.add_tokens([AddedToken("</tool>", rstrip=True, normalized=False)])
    return tokenizer


def llama3():
    pre = pre_tokenizers.Sequence([split(LLAMA3_WORDS), bytes_of()])
    tokenizer = byte_level_bpe(pre, ["<|begin_of_text|>", "<|eot_id|>"], ignore_merges=True)
    tokenizer.post_processor = processors.Sequence(
        [processors.ByteLevel(trim_offsets=True), template(tokenizer, "<|begin_of_text|> $A")])
    return tokenizer


def qwen2():
    pre = pre_tokenizers.Sequence([split(QWEN2_WORDS), bytes_of()])
    tokenizer = byte_level_bpe(pre, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
                               normalizers.NFC())
    tokenizer.add_tokens([AddedToken("<tool_call>", normalized=False),
                          AddedToken("<think>", normalized=False)])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def bloom():
    pre = pre_tokenizers.Sequence([split(BLOOM_WORDS), bytes_of()])
    tokenizer = byte_level_bpe(pre, ["<unk>", "<s>", "</s>", "<pad>"])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def gpt_neox():
    tokenizer = byte_level_bpe(bytes_of(use_regex=True), ["<|endoftext|>", "<|padding|>"],
                               normalizers.NFC())
    tokenizer.add_tokens([AddedToken(" " * n, normalized=True) for n in range(24, 1, -1)])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    return tokenizer


def falcon():
    pre = pre_tokenizers.Sequence([
        pre_tokenizers.Punctuation("contiguous"), bytes_of(use_regex=True),
        pre_tokenizers.Digits(individual_digits=False), split("[0-9][0-9][0-9]")])
    return byte_level_bpe(pre, [">>TITLE<<", ">>ABSTRACT<<", "<|endoftext|>"])


def opt():
    tokenizer = byte_level_bpe(bytes_of(use_regex=True), ["<s>", "<pad>", "</s>", "<unk>"])
    tokenizer.post_processor = template(tokenizer, "</s> $A")
    return tokenizer


def starcoder2():
    pre = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                   bytes_of(use_regex=True)])
    return byte_level_bpe(pre, ["<|endoftext|>", "<fim_prefix>", "<fim_suffix>"])


def cohere():
    pre = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                   bytes_of(use_regex=True)])
    tokenizer = byte_level_bpe(pre, ["<PAD>", "<UNK>", "<BOS_TOKEN>"], normalizers.NFC())
    tokenizer.post_processor = template(tokenizer, "<BOS_TOKEN> $A")
    return tokenizer


def gpt_oss():
    pre = pre_tokenizers.Sequence([split(O200K_WORDS, "removed", invert=True), bytes_of()])
    return byte_level_bpe(pre, ["<|startoftext|>", "<|channel|>", "<|message|>"])


def deepseek():
    pre = pre_tokenizers.Sequence([split(r"\p{N}{1,3}"), split(r"[一-龥\u3040-ゟ゠-ヿ]+"),
                                   split(DEEPSEEK_TEXT), bytes_of()])
    tokenizer = byte_level_bpe(pre, ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"])
    tokenizer.add_tokens([AddedToken("<｜User｜>", normalized=False, rstrip=True)])
    tokenizer.post_processor = template(tokenizer, "<｜begin▁of▁sentence｜> $A")
    return tokenizer


def whisper():
    tokenizer = byte_level_bpe(bytes_of(use_regex=True), ["<|endoftext|>"], unk_token="",
                               continuing_subword_prefix="", end_of_word_suffix="")
    tokenizer.add_special_tokens(special("<|startoftranscript|>", "<|en|>", "<|notimestamps|>"))
    tokenizer.add_tokens([AddedToken(f"<|{n / 50:.2f}|>", normalized=False) for n in range(99)])
    tokenizer.post_processor = template(
        tokenizer, "<|startoftranscript|> <|notimestamps|> $A <|endoftext|>")
    return tokenizer


def gemma():
    tokenizer = sentencepiece_bpe(["<pad>", "<eos>", "<bos>", "<unk>"],
                                  normalizers.Replace(" ", MARK))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.add_tokens([AddedToken("\n" * n, normalized=False) for n in range(2, 9)])
    tokenizer.decoder = decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(),
                                           decoders.Fuse()])
    tokenizer.post_processor = template(tokenizer, "<bos> $A")
    return tokenizer


def clip():
    tokenizer = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split(CLIP_WORDS, "removed", True),
                                                       bytes_of()])
    tokenizer.decoder = decoders.ByteLevel()
    trained(tokenizer, trainers.BpeTrainer(
        vocab_size=4000, show_progress=False, end_of_word_suffix="</w>",
        special_tokens=special("<|startoftext|>", "<|endoftext|>")))
    tokenizer.post_processor = processors.RobertaProcessing(
        ("<|endoftext|>", 1), ("<|startoftext|>", 0), trim_offsets=False, add_prefix_space=False)
    return tokenizer


def openai_gpt():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    return trained(tokenizer, trainers.BpeTrainer(
        vocab_size=4000, show_progress=False, end_of_word_suffix="</w>", limit_alphabet=90,
        special_tokens=special("<unk>")))


def t5():
    tokenizer = unigram(["<pad>", "</s>", "<unk>"], "<unk>", charsmap("nmt_nfkc"),
                        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(),
                                                 pre_tokenizers.Metaspace()]))
    tokenizer.add_special_tokens(special(*(f"<extra_id_{n}>" for n in range(9, -1, -1))))
    tokenizer.post_processor = template(tokenizer, "$A </s>", "$A </s> $B </s>")
    return tokenizer


def xlm_roberta():
    norm = normalizers.Sequence([charsmap("nmt_nfkc"), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer = unigram(["<s>", "<pad>", "</s>", "<unk>"], "<unk>", norm,
                        pre_tokenizers.Metaspace())
    tokenizer.add_special_tokens(special("<mask>", lstrip=True))
    tokenizer.post_processor = template(tokenizer, "<s> $A </s>", "<s> $A </s> </s> $B </s>")
    return tokenizer


def albert():
    norm = normalizers.Sequence([
        normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(),
        normalizers.StripAccents(), normalizers.Lowercase(), charsmap("nmt_nfkc_cf"),
        normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer = unigram(["<pad>", "<unk>", "[CLS]", "[SEP]"], "<unk>", norm,
                        pre_tokenizers.Metaspace())
    tokenizer.add_special_tokens(special("[MASK]", lstrip=True))
    tokenizer.post_processor = template(tokenizer, "[CLS] $A [SEP]")
    return tokenizer


def camembert_with_bytes():
    """Unigram that falls back to bytes, as the converter makes of newer SentencePiece models."""
    tokenizer = unigram(["<unk>", "<s>", "</s>", *BYTES], "<unk>", charsmap("nfkc"),
                        pre_tokenizers.Metaspace(prepend_scheme="first"),
                        decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(),
                                           decoders.Fuse()]))
    model = json.loads(tokenizer.to_str())["model"]
    return changed(tokenizer, model={**model, "byte_fallback": True})


def reformer_of_scripts():
    """The library's own SentencePiece-like Unigram, split by scripts, with rules made by hand."""
    rows = [("a", "AA"), ("é", "e"), ("½", "1/2"), ("\r\n", " "), ("ｱ", "ア"), ("the", "zu"),
            ("\u0600", "N"), ("ß", ""), ("e\u0301", "é")]
    norm = normalizers.Sequence([normalizers.Nmt(), charsmap("", rows),
                                 normalizers.Strip(left=True, right=True)])
    pre = pre_tokenizers.Sequence([pre_tokenizers.UnicodeScripts(), pre_tokenizers.Metaspace()])
    return unigram(["<unk>"], "<unk>", norm, pre, size=2000)


def bert_uncased():
    return wordpiece(normalizers.BertNormalizer(lowercase=True))


def bert_cased():
    return wordpiece(normalizers.BertNormalizer(lowercase=False))


def distilbert():
    return wordpiece(normalizers.BertNormalizer(lowercase=False, strip_accents=True),
                     lambda tokenizer: processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2)))


def electra():
    tokenizer = wordpiece(normalizers.BertNormalizer(
        clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=True))
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    return tokenizer


def mpnet():
    tokenizer = wordpiece(normalizers.BertNormalizer(lowercase=True))
    tokenizer.add_special_tokens(special("<mask>", lstrip=True))
    tokenizer.add_tokens([AddedToken("Zürich", single_word=True), AddedToken("ΑΘΗΝΑ", rstrip=True)])
    return tokenizer


def transfo_xl():
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return trained(tokenizer, trainers.WordLevelTrainer(
        special_tokens=special("<unk>", "<eos>"), show_progress=False))


def wav2vec2():
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.CharDelimiterSplit("|"), pre_tokenizers.FixedLength(1)])
    tokenizer.decoder = decoders.CTC(pad_token="<pad>", word_delimiter_token="e", cleanup=True)
    return trained(tokenizer, trainers.WordLevelTrainer(
        special_tokens=special("<pad>", "<unk>"), show_progress=False))


def byt5_like():
    """Bytes as characters by a normalizer instead of a pre-tokenizer."""
    norm = normalizers.Sequence([normalizers.Prepend(MARK), normalizers.ByteLevel()])
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="##", unk_token="<unk>"))
    tokenizer.normalizer = norm
    tokenizer.pre_tokenizer = pre_tokenizers.FixedLength(7)
    tokenizer.decoder = decoders.ByteLevel()
    return trained(tokenizer, trainers.BpeTrainer(
        vocab_size=900, show_progress=False, special_tokens=special("<unk>"),
        continuing_subword_prefix="##"))


FAMILIES = {function.__name__: function for function in [
    gpt2, roberta, llama2, llama_of_transformers, phi3, llama3, qwen2, bloom, gpt_neox, falcon, opt,
    starcoder2, cohere, gpt_oss, deepseek, whisper, gemma, clip, openai_gpt, t5, xlm_roberta,
    albert, camembert_with_bytes, reformer_of_scripts, bert_uncased, bert_cased, distilbert,
    electra, mpnet, transfo_xl, wav2vec2, byt5_like]}
