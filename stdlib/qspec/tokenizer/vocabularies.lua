-- The vocabulary of a tokenizer: out of tokenizer.json, of vocab.json and merges.txt, of vocab.txt,
-- or of a SentencePiece model.
--
-- Source: transformers 5.17, tokenization_utils_tokenizers.py (convert_to_native_format) and
-- convert_slow_tokenizer.py (SentencePieceExtractor, SpmConverter.build_tokenizer_from_spm_proto).

local added_tokens = require "qspec.tokenizer.added_tokens"
local components = require "qspec.tokenizer.components"
local json = require "host.json"
local outcome = require "qspec.outcome"
local sentencepiece_file = require "qspec.tokenizer.sentencepiece_file"
local vocabulary_files = require "qspec.tokenizer.vocabulary_files"

local M = {}

local function refuse(kind, message, hint, where)
  error(outcome.error(kind, message, hint, where), 0)
end

local function count(table_of)
  local size = 0
  for _ in pairs(table_of) do size = size + 1 end
  return size
end

-- Ids of pieces in order, for a Unigram.
local function ids_of(pieces)
  local ids = {}
  for i, piece in ipairs(pieces) do ids[piece[1]] = i - 1 end
  return ids, #pieces
end

local function charsmap_in(normalizer)
  if normalizer == nil or normalizer == json.null then return nil end
  local parts = normalizer.type == "Sequence" and normalizer.normalizers or { normalizer }
  for _, one in ipairs(parts) do
    if one.type == "Precompiled" then return one.precompiled_charsmap end
  end
end

local function pairs_of(merges)
  local list = {}
  for i, merge in ipairs(merges) do
    if type(merge) == "string" then
      local left, right = merge:match("^([^ ]*) ([^ ]*)$")
      list[i] = json.array { left or merge, right }
    else
      list[i] = merge
    end
  end
  return json.array(list)
end

-- Of tokenizer.json; a class takes its vocabulary and merges, and of the rest no more than a
-- charsmap.
local function of_file(file, where)
  local model = file.model
  local ids, size
  if json.is_array(model.vocab) then
    ids, size = ids_of(model.vocab)
  else
    ids, size = model.vocab, count(model.vocab)
  end
  local has_merges = type(model.merges) == "table"
  return { ids = ids, size = size, where = where, charsmap = charsmap_in(file.normalizer),
    model = { vocab = model.vocab, merges = has_merges and pairs_of(model.merges) or nil },
    parts = function()
      return { normalizer = file.normalizer, pre_tokenizer = file.pre_tokenizer,
        post_processor = file.post_processor, decoder = file.decoder, model = model }
    end }
end

local function scored(model)
  local list = {}
  for i, piece in ipairs(model.pieces) do list[i] = { piece.piece, piece.score } end
  return list
end

local function listed(entries)
  local list = {}
  for i, entry in ipairs(entries) do list[i] = json.array(entry) end
  return json.array(list)
end

local function texts_of(pieces)
  local texts = {}
  for i, piece in ipairs(pieces) do texts[i] = piece.piece end
  return texts
end

-- A SentencePiece model that no class takes: its own algorithm, and no space in front.
local function generic_parts(model, model_fields)
  local trainer = model.trainer
  local falls_back = trainer.byte_fallback ~= 0
  local normalizers = { components.replace(" ", components.SPACE) }
  if model.charsmap then table.insert(normalizers, 1, components.precompiled(model.charsmap)) end
  local decoder = components.sentencepiece_decoder(false)
  if not falls_back then
    decoder = components.decoders { components.replace(components.SPACE, " ") }
  end
  local described
  if model_fields.merges then
    described = components.bpe { unk_token = trainer.unk_piece, fuse_unk = true,
      byte_fallback = falls_back }
  else
    described = { type = "Unigram", unk_id = trainer.unk_id, byte_fallback = falls_back }
  end
  for name, value in pairs(model_fields) do described[name] = value end
  return { normalizer = components.normalizers(normalizers), decoder = decoder, model = described }
end

local function generic_tokens(trainer)
  local tokens = {}
  for _, name in ipairs { "bos", "eos", "unk" } do
    if trainer[name .. "_id"] >= 0 then tokens[name .. "_token"] = trainer[name .. "_piece"] end
  end
  return tokens
end

local function wants_merges(class, model, o)
  if not class.build then return model.trainer.model_type ~= sentencepiece_file.UNIGRAM end
  return class.build(o).model.type == "BPE"
end

-- Control pieces are special, those that a user defined are not; both are found before all else.
local function added_pieces(model)
  local list = {}
  for _, piece in ipairs(model.pieces) do
    local is_control = piece.type == sentencepiece_file.CONTROL
    if is_control or piece.type == sentencepiece_file.USER_DEFINED then
      list[#list + 1] = added_tokens.token(piece.piece,
        { normalized = false, special = is_control })
    end
  end
  return list
end

local function of_sentencepiece(folder, class, o)
  local model = sentencepiece_file.read(folder, class.file)
  local found = { where = folder:file(class.file),
    charsmap = model.charsmap, added = added_pieces(model) }
  if wants_merges(class, model, o) then
    local merges = sentencepiece_file.merges(texts_of(model.pieces), model.ids)
    found.ids, found.size = model.ids, #model.pieces
    found.model = { vocab = model.ids, merges = listed(merges) }
  else
    local pieces = scored(model)
    if class.pieces then pieces = class.pieces(pieces, o) end
    found.ids, found.size = ids_of(pieces)
    found.model = { vocab = listed(pieces) }
  end
  if not class.build then found.tokens = generic_tokens(model.trainer) end
  found.parts = function() return generic_parts(model, found.model) end
  return found
end

local function of_word_list(folder, name)
  local vocab, size = vocabulary_files.word_list(folder, name)
  return { ids = vocab, size = size, where = folder:file(name), model = { vocab = vocab } }
end

local function of_bpe(folder)
  local vocab, size = vocabulary_files.vocab(folder, "vocab.json")
  return { ids = vocab, size = size, where = folder:file("vocab.json"), model = { vocab = vocab,
    merges = listed(vocabulary_files.merges(folder, "merges.txt")) } }
end

local UNREAD = { "tekken.json", "tiktoken.model" }
local SAVE = "save the tokenizer beside the model: tokenizer.save_pretrained(folder)"

--- The vocabulary of a subject for a class.
---@param subject table
---@param class table of tokenizer_classes
---@param file table? tokenizer.json
---@param o table options of the class
---@return { ids: table, size: integer, model: table, parts: function?, tokens: table?,
---  added: table?, where: string, charsmap: string? }
function M.read(subject, class, file, o)
  if file then return of_file(file, subject:file("tokenizer.json")) end
  if class.file == "vocab.txt" and subject:has_file("vocab.txt") then
    return of_word_list(subject.folder, "vocab.txt")
  elseif class.file and subject:has_file(class.file) then
    return of_sentencepiece(subject.folder, class, o)
  elseif class.build and not class.file and subject:has_file("vocab.json")
    and subject:has_file("merges.txt") then
    return of_bpe(subject.folder)
  end
  for _, name in ipairs(UNREAD) do
    if subject:has_file(name) then
      refuse("unsupported", name .. " is not read, and there is no tokenizer.json", SAVE,
        subject:file(name))
    end
  end
  refuse("checkpoint", "there is no tokenizer.json in the model folder",
    ("nor %s, which %s reads; %s"):format(class.file or "vocab.json and merges.txt", class.name,
      SAVE), subject.path or subject.name)
end

return M
