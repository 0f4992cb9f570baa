-- Which class makes a tokenizer, what configs add to it, and what is refused. Parity with
-- transformers is tests/parity/tokenizer_class_parity.py.

local choice = require "qspec.tokenizer.choice"
local cleanup = require "qspec.tokenizer.cleanup"
local Folder = require "qspec.folder"
local json = require "host.json"
local load = require "qspec.tokenizer.load"
local test = require "test"
local vocabulary_files = require "qspec.tokenizer.vocabulary_files"

local function class_of(model_type, class, path)
  return choice.class { model_type = model_type, class = class, path = path, where = "c" }.name
end

test("a model_type without a class of its own takes the config's", function()
  test.equal(class_of("llama", "LlamaTokenizerFast"), "LlamaTokenizer")
  test.equal(class_of("llama", "PreTrainedTokenizerFast"), "TokenizersBackend")
  test.equal(class_of("bloom", "BloomTokenizerFast"), "TokenizersBackend")
end)

test("a class that transformers does not know is the file's", function()
  test.equal(class_of("llama", "MadeUpTokenizer"), "TokenizersBackend")
end)

test("a model_type that is read from the file is so whatever the config says", function()
  test.equal(class_of("mistral", "LlamaTokenizer"), "TokenizersBackend")
  test.equal(class_of("phi3", "LlamaTokenizerFast"), "TokenizersBackend")
end)

test("only qwen2 keeps its class against the config", function()
  test.equal(class_of("qwen2", "LlamaTokenizerFast"), "Qwen2Tokenizer")
  test.equal(class_of("qwen3", "LlamaTokenizerFast"), "LlamaTokenizer")
end)

test("without a class in the config the model_type decides", function()
  test.equal(class_of("gemma2", nil), "GemmaTokenizer")
  test.equal(class_of("llama", nil), "TokenizersBackend")
end)

test("repositories whose class is known to be wrong are read from the file", function()
  local path = "/c/models--deepseek-ai--DeepSeek-R1-Distill-Llama-8B/snapshots/1"
  test.equal(class_of("llama", "LlamaTokenizerFast", path), "TokenizersBackend")
end)

test("a class that transformers builds by code which is not here is refused", function()
  local err = test.raises("'WhisperTokenizer' is not here", class_of, "whisper", "WhisperTokenizer")
  test.equal(err.kind, "unsupported")
end)

-- A model folder of these files.
local function folder(model_type, files)
  local made = Folder.new("m")
  for name, content in pairs(files) do
    made:put(name, type(content) == "string" and content or json.encode(content))
  end
  return { name = "m", path = "m", raw = { model_type = model_type }, folder = made,
    has_file = function(_, name) return made:has(name) end,
    file = function(_, name) return made:file(name) end }
end

local VOCAB = { a = 0, b = 1, ab = 2, ["<|endoftext|>"] = 3 }

local function gpt2(config, changes)
  local files = { ["vocab.json"] = VOCAB, ["merges.txt"] = "#version: 0.2\na b\n",
    ["tokenizer_config.json"] = config }
  for name, content in pairs(changes or {}) do files[name] = content or nil end
  return folder("gpt2", files)
end

local function added(described)
  local list = {}
  for _, token in ipairs(described.parts.added_tokens) do
    list[#list + 1] = token.id .. " " .. token.content
  end
  return list
end

test("vocab.json and merges.txt make a tokenizer", function()
  local described = load.describe(gpt2 {})
  test.equal(described.parts.model.merges[1], { "a", "b" })
  test.equal(described.parts.pre_tokenizer.type, "ByteLevel")
  test.equal(added(described), { "3 <|endoftext|>" })
end)

test("tokens that are new get ids behind the vocabulary, whatever the config says", function()
  local described = load.describe(gpt2 { pad_token = "<pad>", added_tokens_decoder = {
    ["900"] = { content = "<x>", special = true } } })
  test.equal(added(described), { "3 <|endoftext|>", "4 <x>", "5 <pad>" })
end)

test("a token with a name becomes special", function()
  local described = load.describe(gpt2 { eos_token = "<x>", added_tokens_decoder = {
    ["4"] = { content = "<x>", special = false, normalized = true } } })
  local token = described.parts.added_tokens[2]
  test.equal({ token.content, token.special, token.normalized }, { "<x>", true, true })
end)

test("special tokens have their names, those of the class where the config is silent", function()
  local names = load.special_tokens(gpt2 { eos_token = json.null, image_token = "<image>" })
  test.equal(names, { bos_token = "<|endoftext|>", unk_token = "<|endoftext|>",
    image_token = "<image>" })
end)

test("bos is added when the config says so and there is no tokenizer.json", function()
  local processor = load.describe(gpt2 { add_bos_token = true }).parts.post_processor
  test.equal(processor.single[1], { SpecialToken = { id = "<|endoftext|>", type_id = 0 } })
  test.equal(#load.describe(gpt2 {}).parts.post_processor.single, 1)
end)

test("files that are missing are named, with what the class would read", function()
  local err = test.raises("no tokenizer.json", load.describe, gpt2({}, { ["merges.txt"] = false }))
  test.ok(err.hint:find("vocab.json and merges.txt, which GPT2Tokenizer reads", 1, true), err.hint)
end)

test("a tekken.json alone is refused by its name", function()
  local subject = folder("mistral", { ["tekken.json"] = "{}" })
  local err = test.raises("tekken.json is not read", load.describe, subject)
  test.equal(err.kind, "unsupported")
end)

local MALFORMED = {
  { "an id that is no whole number", { ["vocab.json"] = { a = 1.5 } }, "the id 1.5" },
  { "an id below zero", { ["vocab.json"] = { a = -1 } }, "the id %-1" },
  { "a vocabulary that is a list", { ["vocab.json"] = "[]" }, "no JSON object" },
  { "a merge of three parts", { ["merges.txt"] = "a b\na b c\n" }, "wanted two tokens" },
  { "a token without content", { ["tokenizer_config.json"] = { added_tokens_decoder = {
    ["1"] = { special = true } } } }, "has no content" },
  { "a flag that is no boolean", { ["tokenizer_config.json"] = { added_tokens_decoder = {
    ["1"] = { content = "x", lstrip = 1 } } } }, "that is no boolean" },
  { "an id that is no number", { ["tokenizer_config.json"] = { added_tokens_decoder = {
    x = { content = "x" } } } }, "entry 'x'" },
  { "a special token that is a number", { ["tokenizer_config.json"] = { bos_token = 5 } },
    "bos_token is no text" },
  { "a config that is a list", { ["tokenizer_config.json"] = "[]" }, "not a JSON object" },
  { "a tokenizer.json without a model", { ["tokenizer.json"] = "{}" }, "no model" },
}

for _, case in ipairs(MALFORMED) do
  test(case[1] .. " is refused", function()
    local err = test.raises(case[3], load.describe, gpt2({}, case[2]))
    test.equal(err.kind, "checkpoint")
    test.ok(err.where ~= "", "the error has a place")
  end)
end

test("of equal lines in vocab.txt the last counts", function()
  local made = Folder.new("m")
  made:put("vocab.txt", "a\nb\r\na\n\nc")
  local vocab, size = vocabulary_files.word_list(made, "vocab.txt")
  test.equal(vocab, { a = 2, b = 1, [""] = 3, c = 4 })
  test.equal(size, 4)
end)

test("cleaning up joins punctuation and contractions to the words before them", function()
  test.equal(cleanup.clean("it 's fine , is n't it ? I 've 50 % . ' x ' !"),
    "it's fine, isn't it? I've 50 %.'x '!")
end)

test("texts of a BPE are cleaned up only when the config insists", function()
  local asked = { clean_up_tokenization_spaces = true }
  test.ok(cleanup.applies(asked, "WordPiece"))
  test.ok(not cleanup.applies(asked, "BPE"))
  test.ok(not cleanup.applies({}, "WordPiece"))
  asked.clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output = true
  test.ok(cleanup.applies(asked, "BPE"))
end)

test("a number of extra ids that no vocabulary has is refused", function()
  local subject = folder("t5", { ["tokenizer_config.json"] = { tokenizer_class = "T5Tokenizer",
    extra_ids = 1e300 }, ["tokenizer.json"] = { model = { type = "Unigram",
    vocab = { { "<pad>", 0 }, { "</s>", 0 }, { "<unk>", 0 } } } } })
  test.raises("extra_ids is 1e%+300, wanted a whole number", load.describe, subject)
end)

local MALFORMED_FILE = {
  { "added_tokens that are no list", { added_tokens = 5 }, "added_tokens is no list" },
  { "an added token without an id", { added_tokens = { { content = "x" } } }, "added_tokens%[0%]" },
  { "a merge of three parts", { model = { vocab = { a = 0 }, merges = { { "a", "b", "c" } } } },
    "model.merges%[0%]" },
  { "a piece without a score", { model = { vocab = { { "a" } } } }, "model.vocab%[0%]" },
  { "a normalizer that is a text", { normalizer = "NFC" }, "the normalizer is no object" },
}

for _, case in ipairs(MALFORMED_FILE) do
  test("in tokenizer.json " .. case[1] .. " is refused", function()
    local file = { model = { vocab = { a = 0 } } }
    for name, value in pairs(case[2]) do file[name] = value end
    local err = test.raises(case[3], load.describe, gpt2({}, { ["tokenizer.json"] = file }))
    test.equal(err.kind, "checkpoint")
  end)
end
