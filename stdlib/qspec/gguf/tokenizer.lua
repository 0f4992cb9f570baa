-- tokenizer.json made again of a GGUF file's tokenizer.ggml.* metadata.
--
-- Source: llama.cpp, src/llama-vocab.cpp (the pre-tokenizers by name) and
-- convert_hf_to_gguf_update.py (which models they are of).

local json = require "host.json"
local nearest = require "qspec.nearest"
local outcome = require "qspec.outcome"
local printable = require "qspec.printable"
local sentencepiece = require "qspec.gguf.sentencepiece"

local M = {}

local function refuse(kind, message, hint, where)
  error(outcome.error(kind, message, hint, where), 0)
end

-- Pre-tokenizers ---------------------------------------------------------------------------------

local CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
local WORDS = "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
local REST = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

local function byte_level(use_regex)
  return { type = "ByteLevel", add_prefix_space = false, trim_offsets = false,
    use_regex = use_regex }
end

local function split(pattern)
  return { type = "Sequence", pretokenizers = json.array {
    { type = "Split", pattern = { Regex = pattern }, behavior = "Isolated", invert = false },
    byte_level(false) } }
end

local GPT2 = { pre_tokenizer = byte_level(true) }
local QWEN2 = { pre_tokenizer = split(CONTRACTIONS .. WORDS .. "\\p{N}" .. REST),
  normalizer = { type = "NFC" } }
local LLAMA3 = { pre_tokenizer = split(CONTRACTIONS .. WORDS .. "\\p{N}{1,3}" .. REST),
  ignore_merges = true, add_bos = true }
local BLOOM = { pre_tokenizer = split(" ?[^(\\s|[.,!?…。，、।۔،])]+") }

local KINDS = { ["gpt-2"] = GPT2, phi2 = GPT2, ["jina-es"] = GPT2, olmo = GPT2, mpt = GPT2,
  qwen2 = QWEN2, ["llama-bpe"] = LLAMA3, llama3 = LLAMA3, bloom = BLOOM, ["gpt3-finnish"] = BLOOM }

local function kind_of(checkpoint, where)
  local name = checkpoint:metadata("tokenizer.ggml.pre")
  local kind = type(name) == "string" and rawget(KINDS, name)
  if kind then return kind end
  local known = {}
  for each in pairs(KINDS) do known[#known + 1] = each end
  table.sort(known)
  local close = type(name) == "string" and nearest(name, known)
  refuse("unsupported", ("tokenizer.ggml.pre '%s' is not known"):format(
    printable.line(tostring(name))), close
    and ("did you mean '%s'?"):format(close) or "known: " .. table.concat(known, ", "), where)
end

-- Tokens -----------------------------------------------------------------------------------------

local UNKNOWN, CONTROL, USER_DEFINED = 2, 3, 4
local ADDED = { [UNKNOWN] = true, [CONTROL] = true, [USER_DEFINED] = true }

local function list(checkpoint, key, wanted, where)
  local values, kind = checkpoint:metadata("tokenizer.ggml." .. key)
  if kind == wanted then return values end
  refuse("checkpoint", ("tokenizer.ggml.%s is %s, wanted %s"):format(key, kind or "missing",
    wanted), nil, where)
end

local function vocabulary(tokens, where)
  local ids = {}
  for i, token in ipairs(tokens) do
    if ids[token] then
      refuse("checkpoint", ("tokens %d and %d are the same"):format(ids[token], i - 1), nil, where)
    end
    ids[token] = i - 1
  end
  return ids
end

local function added_tokens(tokens, types)
  local added = {}
  for i, token in ipairs(tokens) do
    if ADDED[types[i]] then
      added[#added + 1] = { id = i - 1, content = token, single_word = false, lstrip = false,
        rstrip = false, normalized = false, special = types[i] ~= USER_DEFINED }
    end
  end
  return json.array(added)
end

-- What comes before a text; `otherwise` when nothing does.
local function post_processor(checkpoint, adds, otherwise, tokens, where)
  local add = checkpoint:metadata("tokenizer.ggml.add_bos_token")
  if add == nil then add = adds end
  if not add then return otherwise end
  local id = checkpoint:metadata("tokenizer.ggml.bos_token_id")
  local bos = type(id) == "number" and tokens[id + 1]
  if not bos then
    refuse("checkpoint", ("tokenizer.ggml.bos_token_id is %s, there are %d tokens"):format(
      tostring(id), #tokens), nil, where)
  end
  local special = { SpecialToken = { id = bos, type_id = 0 } }
  local a, b = { Sequence = { id = "A", type_id = 0 } }, { Sequence = { id = "B", type_id = 1 } }
  return { type = "TemplateProcessing", single = json.array { special, a },
    pair = json.array { special, a, b },
    special_tokens = { [bos] = { id = bos, ids = json.array { id },
      tokens = json.array { bos } } } }
end

local function model(vocab, merges, fields)
  local described = { type = "BPE", dropout = json.null, unk_token = json.null,
    continuing_subword_prefix = json.null, end_of_word_suffix = json.null, fuse_unk = false,
    byte_fallback = false, ignore_merges = false, vocab = vocab, merges = json.array(merges) }
  for key, value in pairs(fields) do described[key] = value end
  return described
end

-- Bytes as characters, and merges in order.
local function of_gpt2(checkpoint, tokens, vocab, where)
  local kind = kind_of(checkpoint, where)
  local merges = list(checkpoint, "merges", "string[]", where)
  return { normalizer = kind.normalizer or json.null, pre_tokenizer = kind.pre_tokenizer,
    post_processor = post_processor(checkpoint, kind.add_bos, byte_level(true), tokens, where),
    decoder = byte_level(true),
    model = model(vocab, merges, { ignore_merges = kind.ignore_merges or false }) }
end

-- SentencePiece: scores in place of merges.
local function of_llama(checkpoint, tokens, vocab, where)
  local scores = list(checkpoint, "scores", "f32[]", where)
  if #scores ~= #tokens then
    refuse("checkpoint", ("tokenizer.ggml.scores has %d entries, there are %d tokens"):format(
      #scores, #tokens), nil, where)
  end
  local unknown = checkpoint:metadata("tokenizer.ggml.unknown_token_id")
  local parts = sentencepiece.parts(checkpoint:metadata("tokenizer.ggml.add_space_prefix") ~= false)
  parts.post_processor = post_processor(checkpoint, true, json.null, tokens, where)
  parts.model = model(vocab, sentencepiece.merges(tokens, vocab, scores), { byte_fallback = true,
    fuse_unk = true, unk_token = type(unknown) == "number" and tokens[unknown + 1] or json.null })
  return parts
end

local MODELS = { gpt2 = of_gpt2, llama = of_llama }

--- Special tokens by name.
---@param checkpoint any host.checkpoint
---@return table<string, string>
function M.special_tokens(checkpoint)
  local names, tokens = {}, checkpoint:metadata("tokenizer.ggml.tokens")
  for name, key in pairs { bos_token = "bos", eos_token = "eos", unk_token = "unknown",
    pad_token = "padding" } do
    local id = checkpoint:metadata("tokenizer.ggml." .. key .. "_token_id")
    names[name] = type(id) == "number" and type(tokens) == "table" and tokens[id + 1] or nil
  end
  return names
end

--- Makes the tokenizer of a checkpoint of GGUF files.
---@param checkpoint any host.checkpoint
---@return any tokenizer qspec.Tokenizer
function M.make(checkpoint)
  local where = checkpoint:path()
  local name = checkpoint:metadata("tokenizer.ggml.model")
  local parts_of = type(name) == "string" and rawget(MODELS, name)
  if not parts_of then
    refuse("unsupported", ("tokenizer.ggml.model '%s' is not read from GGUF files"):format(
      printable.line(tostring(name))), "known: gpt2, llama", where)
  end
  local tokens = list(checkpoint, "tokens", "string[]", where)
  local types = list(checkpoint, "token_type", "i32[]", where)
  if #types ~= #tokens then
    refuse("checkpoint", ("tokenizer.ggml.token_type has %d entries, there are %d tokens"):format(
      #types, #tokens), nil, where)
  end
  local parts = parts_of(checkpoint, tokens, vocabulary(tokens, where), where)
  parts.version, parts.truncation, parts.padding = "1.0", json.null, json.null
  parts.added_tokens = added_tokens(tokens, types)
  return require("host.text").tokenizer_of(json.encode(parts), where)
end

return M
