"""Tokenizers of many classes, saved in the layouts that checkpoints come in.

folders(root) makes them under `root` and gives (name, folder) of each.
"""

import io
import json
import pathlib

import sentencepiece
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

CORPUS = [
    "The quick brown fox jumps over the lazy dog, isn't it? It's what they've said: 1,234.56!",
    "def f(x):\n    return x ** 2  # squares\n", "Zürich, naïve café; Straße, İstanbul, ΑΘΗΝΑ, Привет",
    "你好，世界。今日は元気ですか？ 안녕하세요 세계", "हिन्दी में नमस्ते। emoji 😀👍🏻 and   spaces\t tabs",
    "Numbers 0123456789 and words, words, words: over and over again the same the the the",
] * 20


def byte_level_bpe(size=420, specials=("<|endoftext|>",)):
    """vocab and merges over bytes."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(specials), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(merge) for merge in model["merges"]]


def sentencepiece_model(kind, **options):
    """The bytes of a model that sentencepiece trains."""
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=out, model_type=kind, minloglevel=2,
        num_threads=1, hard_vocab_limit=False,
        **{"vocab_size": 500 if kind == "bpe" else 260, **options})
    return out.getvalue()


LLAMA_SPM = {"byte_fallback": True, "normalization_rule_name": "identity",
             "remove_extra_whitespaces": False, "character_coverage": 0.995}


def write(folder, files, model_type):
    """A folder with config.json and the files: bytes, texts, or objects as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_type": model_type, "transformers_version": "4.40.0"}
    for name, content in {"config.json": config, **files}.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
            (folder / name).write_text(text, encoding="utf-8")


def saved(tokenizer, folder):
    """What save_pretrained writes, by file name: texts."""
    tokenizer.save_pretrained(folder)
    return {path.name: path.read_text(encoding="utf-8") for path in pathlib.Path(folder).iterdir()
            if path.suffix in (".json", ".txt", ".jinja")}


def old_bpe_files(vocab, merges):
    return {"vocab.json": vocab,
            "merges.txt": "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges)}


def of_file(vocab, merges, bos=None, **model):
    """A tokenizer.json that no class has: split by a pattern, some tokens added, bos in front."""
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, **model))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>", "<|user|>"])
    tokenizer.add_tokens([AddedToken("the", single_word=True, lstrip=True), "<tool>"])
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", pair=f"{bos} $A {bos}:1 $B:1",
            special_tokens=[(bos, tokenizer.token_to_id(bos))])
    return tokenizer.to_str()


def byte_level_folders():
    vocab, merges = byte_level_bpe()
    bpe = {"vocab": vocab, "merges": merges}
    old = old_bpe_files(vocab, merges)
    with_bos = of_file(vocab, merges, "<|endoftext|>")
    without = of_file(vocab, merges)
    dict_token = {"__type": "AddedToken", "content": "<|im_end|>", "lstrip": False, "rstrip": True,
                  "normalized": True, "single_word": False}
    yield "gpt2 new", "gpt2", transformers.GPT2Tokenizer(**bpe), {}
    yield "gpt2 with a space", "gpt2", transformers.GPT2Tokenizer(**bpe, add_prefix_space=True), {}
    yield "gpt2 old", "gpt2", old, {"tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer"}}
    yield "gpt2 old, bos added", "gpt2", old, {"tokenizer_config.json": {
        "tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "add_prefix_space": True}}
    yield "gpt2 old, no class", "gpt2", old, {}
    yield "gpt2 old, special_tokens_map and added_tokens", "gpt2", old, {
        "tokenizer_config.json": {"tokenizer_class": "GPT2TokenizerFast"},
        "special_tokens_map.json": {"bos_token": {"content": "<s>", "lstrip": True, "rstrip": False,
                                                  "normalized": True, "single_word": False},
                                    "pad_token": "<pad>"},
        "added_tokens.json": {"<pad>": 421, "<extra>": 420, "<|endoftext|>": 0}}
    yield "opt", "opt", old, {"tokenizer_config.json": {
        "tokenizer_class": "GPT2Tokenizer", "bos_token": "</s>", "eos_token": "</s>",
        "unk_token": "</s>", "add_bos_token": True, "pad_token": dict_token}}
    yield "codegen", "codegen", transformers.CodeGenTokenizer(**bpe), {}
    yield "codegen old", "codegen", old, {
        "tokenizer_config.json": {"tokenizer_class": "CodeGenTokenizer"}}
    yield "gpt_neox", "gpt_neox", transformers.GPTNeoXTokenizer(**bpe), {}
    yield "gpt_neox drops the post-processor", "gpt_neox", {"tokenizer.json": with_bos}, {
        "tokenizer_config.json": {"tokenizer_class": "GPTNeoXTokenizerFast", "add_bos_token": True}}
    yield "gpt_neox old, eos added", "gpt_neox", old, {"tokenizer_config.json": {
        "tokenizer_class": "GPTNeoXTokenizer", "add_eos_token": True}}
    yield "olmo by the file", "olmo2", {"tokenizer.json": with_bos}, {
        "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer", "eos_token": "<|endoftext|>"}}
    yield "qwen2", "qwen2", transformers.Qwen2Tokenizer(**bpe), {}
    yield "qwen2 with tokens", "qwen2", transformers.Qwen2Tokenizer(
        **bpe, extra_special_tokens=["<|im_start|>", "<|im_end|>"], eos_token="<|im_end|>"), {}
    yield "qwen2 old", "qwen2", old, {"tokenizer_config.json": {
        "tokenizer_class": "Qwen2Tokenizer", "add_prefix_space": False, "bos_token": None,
        "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>",
        "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
        "added_tokens_decoder": {
            "420": {"content": "<|im_start|>", "special": True, "normalized": False},
            "421": {"content": "<|im_end|>", "special": True, "lstrip": True},
            "422": {"content": "<tool>", "special": False, "normalized": True}}}}
    yield "qwen2 whatever the file says", "qwen2", {"tokenizer.json": with_bos}, {
        "tokenizer_config.json": {"tokenizer_class": "LlamaTokenizerFast"}}
    yield "qwen3 by the file", "qwen3", {"tokenizer.json": with_bos}, {
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"}}
    yield "qwen3 by an unknown class", "qwen3", {"tokenizer.json": without}, {
        "tokenizer_config.json": {"tokenizer_class": "MadeUpTokenizer"}}
    yield "qwen3.5", "qwen3_5_text", transformers.Qwen3_5Tokenizer(**bpe), {}
    yield "cohere", "cohere", transformers.CohereTokenizer(**bpe), {}
    yield "cohere of a file", "cohere2", {"tokenizer.json": with_bos}, {
        "tokenizer_config.json": {"tokenizer_class": "CohereTokenizerFast", "add_bos_token": True,
                                  "bos_token": "<|user|>"}}
    yield "starcoder2", "starcoder2", {"tokenizer.json": without}, {
        "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": False,
                                  "extra_special_tokens": ["<fim>"]}}
    yield "llama3 by the file", "llama", {"tokenizer.json": of_file(
        vocab, merges, "<|endoftext|>", ignore_merges=True)}, {"tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|endoftext|>",
            "pad_token": "<|new pad|>", "added_tokens_decoder": {
                "0": {"content": "<|endoftext|>", "special": True, "rstrip": True},
                "425": {"content": "<tool>", "special": True}}}}
    yield "a file without a post-processor", "llama", {"tokenizer.json": without}, {
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast",
                                  "eos_token": "<|endoftext|>", "add_bos_token": True}}
    yield "a file and nothing else", "llama", {"tokenizer.json": with_bos}, {}
    yield "names of a model's own", "llama", {"tokenizer.json": with_bos}, {
        "tokenizer_config.json": {"tokenizer_class": "TokenizersBackend", "image_token": "<image>",
                                  "extra_special_tokens": {"audio_token": "<audio>"},
                                  "bos_token": "<|endoftext|>"}}
    yield "legacy special tokens beside a file", "llama", {"tokenizer.json": with_bos}, {
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"},
        "special_tokens_map.json": {"bos_token": "<|user|>", "sep_token": {
            "content": "<sep>", "lstrip": False, "rstrip": False, "normalized": False,
            "single_word": False}, "additional_special_tokens": ["<more>"]}}
    yield "bloom", "bloom", {"tokenizer.json": with_bos}, {
        "tokenizer_config.json": {"tokenizer_class": "BloomTokenizerFast", "pad_token": "<pad>"}}
    yield "deepseek by the file", "deepseek_v3", {"tokenizer.json": with_bos}, {
        "tokenizer_config.json": {"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": True,
                                  "bos_token": {"__type": "AddedToken", "content": "<|bos|>",
                                                "lstrip": False, "normalized": True,
                                                "rstrip": False, "single_word": False}}}
    yield "roberta", "roberta", transformers.RobertaTokenizer(**bpe), {}
    yield "roberta old", "roberta", old, {
        "tokenizer_config.json": {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True}}


def sentencepiece_folders():
    bpe = sentencepiece_model("bpe", **LLAMA_SPM)
    defined = sentencepiece_model("bpe", **LLAMA_SPM, user_defined_symbols=["<|im|>", "  ", "\t"],
                                  control_symbols=["<ctl>"], pad_id=3)
    unigram = sentencepiece_model("unigram")
    nfkc = sentencepiece_model("bpe", normalization_rule_name="nmt_nfkc")
    own = sentencepiece_model("unigram", unk_piece="[unk]", bos_piece="[bos]", eos_piece="[eos]",
                              byte_fallback=True, vocab_size=520)
    llama = {"tokenizer_class": "LlamaTokenizer"}
    yield "llama of a model", "llama", {"tokenizer.model": bpe}, {"tokenizer_config.json": llama}
    yield "llama of a model, legacy", "llama", {"tokenizer.model": bpe}, {
        "tokenizer_config.json": {**llama, "legacy": True, "add_bos_token": True,
                                  "add_eos_token": False}}
    yield "llama of a model, no space", "llama", {"tokenizer.model": bpe}, {
        "tokenizer_config.json": {**llama, "add_prefix_space": False, "add_bos_token": True,
                                  "add_eos_token": True}}
    yield "llama with symbols", "llama", {"tokenizer.model": defined}, {
        "tokenizer_config.json": {**llama, "pad_token": "<pad>"}}
    yield "llama nfkc", "llama", {"tokenizer.model": nfkc}, {"tokenizer_config.json": llama}
    yield "llama, tokens by id", "llama", {"tokenizer.model": bpe}, {
        "tokenizer_config.json": {**llama, "bos_token": "<s>", "added_tokens_decoder": {
            "0": {"content": "<unk>", "special": True, "normalized": False},
            "1": {"content": "<s>", "special": True, "normalized": True, "rstrip": True},
            "500": {"content": "<|x|>", "special": False, "normalized": False}}}}
    yield "code_llama of a model", "code_llama", {"tokenizer.model": bpe}, {
        "tokenizer_config.json": {"tokenizer_class": "CodeLlamaTokenizer"}}
    yield "code_llama without bos", "code_llama", {"tokenizer.model": bpe}, {
        "tokenizer_config.json": {"tokenizer_class": "CodeLlamaTokenizer", "add_bos_token": False}}
    yield "mistral of a model", "mistral", {"tokenizer.model": bpe}, {"tokenizer_config.json": llama}
    yield "phi3 of a model with symbols", "phi3", {"tokenizer.model": defined}, {
        "tokenizer_config.json": {**llama, "add_bos_token": True}}
    yield "a Unigram without a class", "mistral", {"tokenizer.model": own}, {}
    yield "a normalizing BPE without a class", "internlm2", {"tokenizer.model": nfkc}, {}
    yield "t5 of a model", "t5", {"spiece.model": unigram}, {
        "tokenizer_config.json": {"tokenizer_class": "T5Tokenizer", "extra_ids": 10}}
    yield "xlm-roberta of a model", "xlm-roberta", {"sentencepiece.bpe.model": unigram}, {
        "tokenizer_config.json": {"tokenizer_class": "XLMRobertaTokenizer"}}


def loaded_again(root):
    """Tokenizers of models, saved by transformers as tokenizer.json."""
    bpe = sentencepiece_model("bpe", **LLAMA_SPM)
    unigram = sentencepiece_model("unigram")
    for class_name, model_type, file, content, options in (
            ("LlamaTokenizer", "llama", "tokenizer.model", bpe, {}),
            ("LlamaTokenizer", "llama", "tokenizer.model", bpe, {"legacy": True}),
            ("LlamaTokenizer", "mixtral", "tokenizer.model", bpe, {"add_bos_token": True}),
            ("CodeLlamaTokenizer", "code_llama", "tokenizer.model", bpe, {}),
            ("GemmaTokenizer", "llama", "tokenizer.model", bpe, {}),
            ("T5Tokenizer", "t5", "spiece.model", unigram, {}),
            ("XLMRobertaTokenizer", "xlm-roberta", "sentencepiece.bpe.model", unigram, {})):
        source = root / f"source {class_name} {len(list(root.iterdir()))}"
        write(source, {file: content}, model_type)
        cls = getattr(transformers, class_name)
        name = class_name if class_name != "GemmaTokenizer" else "LlamaTokenizer"
        tokenizer = getattr(transformers, name).from_pretrained(source, **options)
        if class_name == "GemmaTokenizer":
            model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
            tokenizer = cls(vocab=model["vocab"], merges=[tuple(m) for m in model["merges"]])
            model_type = "gemma2"
        yield f"{class_name} saved, {options}", model_type, tokenizer, {}


def word_piece_folders():
    words = sorted({w.strip(".,:;!?").lower() for line in CORPUS for w in line.split()})
    letters = sorted({c for w in words for c in w})
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *("##" + c for c in letters),
             *(w for w in words if len(w) > 1)]
    text = "\n".join(vocab) + "\n"
    yield "bert old", "bert", {"vocab.txt": text}, {
        "tokenizer_config.json": {"tokenizer_class": "BertTokenizer"}}
    yield "bert old, cased", "bert", {"vocab.txt": text}, {"tokenizer_config.json": {
        "do_lower_case": False, "strip_accents": True, "tokenize_chinese_chars": False,
        "clean_up_tokenization_spaces": True}}
    yield "bert new", "bert", transformers.BertTokenizer(
        vocab={token: i for i, token in enumerate(vocab)}), {}


def folders(root):
    made = [*byte_level_folders(), *sentencepiece_folders(), *loaded_again(root),
            *word_piece_folders()]
    for index, (name, model_type, source, files) in enumerate(made):
        folder = root / f"{index}"
        base = source if isinstance(source, dict) else saved(source, root / f"{index} saved")
        write(folder, {**base, **files}, model_type)
        yield name, folder
