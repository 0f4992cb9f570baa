-- Components of a tokenizer.json, as the library tokenizers writes them.
--
-- Source: tokenizers 0.23; transformers 5.17 for the regular expressions.

local json = require "host.json"
local outcome = require "qspec.outcome"

local M = {}

M.SPACE = "\226\150\129"  -- U+2581, a space of SentencePiece

local function sequence(member)
  return function(list) return { type = "Sequence", [member] = json.array(list) } end
end

M.normalizers = sequence "normalizers"
M.pre_tokenizers = sequence "pretokenizers"
M.decoders = sequence "decoders"

function M.replace(from, to)
  return { type = "Replace", pattern = { String = from }, content = to }
end

---@param add_prefix_space boolean
---@param use_regex boolean
---@param trim_offsets boolean? true unless given
function M.byte_level(add_prefix_space, use_regex, trim_offsets)
  return { type = "ByteLevel", add_prefix_space = add_prefix_space, use_regex = use_regex,
    trim_offsets = trim_offsets ~= false }
end

function M.split(pattern)
  return { type = "Split", pattern = { Regex = pattern }, behavior = "Isolated", invert = false }
end

---@param scheme "first"|"always"|"never"
---@param split boolean
function M.metaspace(scheme, split)
  return { type = "Metaspace", replacement = M.SPACE, prepend_scheme = scheme, split = split }
end

--- Marks back to spaces, bytes to characters; less the first space when one was put in front.
function M.sentencepiece_decoder(strips)
  local list = { M.replace(M.SPACE, " "), { type = "ByteFallback" }, { type = "Fuse" } }
  if strips then list[4] = { type = "Strip", content = " ", start = 1, stop = 0 } end
  return M.decoders(list)
end

function M.precompiled(charsmap)
  return charsmap and { type = "Precompiled", precompiled_charsmap = charsmap } or json.null
end

local BPE = { type = "BPE", dropout = json.null, unk_token = json.null,
  continuing_subword_prefix = json.null, end_of_word_suffix = json.null, fuse_unk = false,
  byte_fallback = false, ignore_merges = false }

--- A BPE with fields of its own.
function M.bpe(fields)
  local model = {}
  for key, value in pairs(BPE) do model[key] = value end
  for key, value in pairs(fields) do model[key] = value end
  return model
end

--- A BPE of byte level, which every text has tokens in.
function M.byte_level_bpe()
  return M.bpe { continuing_subword_prefix = "", end_of_word_suffix = "" }
end

local function pieces(words, id_of, special)
  local list = {}
  for i, word in ipairs(words) do
    local sequence_name = word.name:match("^%$([AB])$")
    if sequence_name then
      list[i] = { Sequence = { id = sequence_name, type_id = word.type_id } }
    else
      list[i] = { SpecialToken = { id = word.name, type_id = word.type_id } }
      special[word.name] = { id = word.name, ids = json.array { id_of(word.name) },
        tokens = json.array { word.name } }
    end
  end
  return json.array(list)
end

--- A TemplateProcessing. A word is { name, type_id }, "$A" and "$B" the texts.
---@param single table[]
---@param pair table[]
---@param id_of fun(token: string): integer
function M.template(single, pair, id_of)
  local special = {}
  return { type = "TemplateProcessing", single = pieces(single, id_of, special),
    pair = pieces(pair, id_of, special), special_tokens = special }
end

--- A word of a template.
function M.word(name, type_id)
  if not name then
    error(outcome.error("checkpoint", "a special token that is put around texts is not set",
      "tokenizer_config.json names bos, eos, cls and sep"), 0)
  end
  return { name = name, type_id = type_id or 0 }
end

return M
