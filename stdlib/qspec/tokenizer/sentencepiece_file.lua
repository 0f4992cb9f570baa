-- tokenizer.model: SentencePiece's model proto, as far as tokenizers are made of it.
--
-- Source: google/sentencepiece, src/sentencepiece_model.proto.

local base64 = require "qspec.tokenizer.base64"
local outcome = require "qspec.outcome"
local printable = require "qspec.printable"
local protobuf = require "qspec.tokenizer.protobuf"

local M = {}

local NORMAL = 1

M.CONTROL, M.USER_DEFINED = 3, 4
M.UNIGRAM, M.BPE = 1, 2

local MODEL = { pieces = 1, trainer_spec = 2, normalizer_spec = 3 }

local PIECE = {
  [1] = { name = "piece", wire = protobuf.BYTES },
  [2] = { name = "score", wire = protobuf.FIXED32 },
  [3] = { name = "type", wire = protobuf.VARINT },
}

local TRAINER = {
  [3] = { name = "model_type", wire = protobuf.VARINT },
  [35] = { name = "byte_fallback", wire = protobuf.VARINT },
  [40] = { name = "unk_id", wire = protobuf.VARINT },
  [41] = { name = "bos_id", wire = protobuf.VARINT },
  [42] = { name = "eos_id", wire = protobuf.VARINT },
  [45] = { name = "unk_piece", wire = protobuf.BYTES },
  [46] = { name = "bos_piece", wire = protobuf.BYTES },
  [47] = { name = "eos_piece", wire = protobuf.BYTES },
}

local NORMALIZER = {
  [2] = { name = "charsmap", wire = protobuf.BYTES },
  [3] = { name = "add_dummy_prefix", wire = protobuf.VARINT },
  [4] = { name = "remove_extra_whitespaces", wire = protobuf.VARINT },
}

-- The fields of a message by name; byte strings as texts.
local function message(text, span, fields, where, into)
  protobuf.each(text, span, where, function(number, wire, value, at)
    local field = fields[number]
    if not field then return end
    protobuf.expect(wire, field.wire, field.name, where, at)
    into[field.name] = wire == protobuf.BYTES and text:sub(value.first, value.last) or value
  end)
  return into
end

local function check_piece(piece, seen, index, where, at)
  local content = piece.piece
  if printable.utf8(content) ~= content then
    protobuf.refuse(where, at, ("piece %d is not UTF-8"):format(index))
  elseif seen[content] then
    protobuf.refuse(where, at, ("pieces %d and %d are both '%s'"):format(seen[content], index,
      printable.line(content)))
  elseif piece.score ~= piece.score then
    protobuf.refuse(where, at, ("the score of piece %d is not a number"):format(index))
  end
  seen[content] = index
end

local function parse(text, where)
  local model = { pieces = {}, normalizer = {},
    trainer = { model_type = M.UNIGRAM, byte_fallback = 0, unk_id = 0, bos_id = 1, eos_id = 2,
      unk_piece = "<unk>", bos_piece = "<s>", eos_piece = "</s>" } }
  local seen = {}
  protobuf.each(text, { first = 1, last = #text }, where, function(number, wire, value, at)
    if number == MODEL.pieces then
      protobuf.expect(wire, protobuf.BYTES, "pieces", where, at)
      local piece = message(text, value, PIECE, where, { piece = "", score = 0, type = NORMAL })
      check_piece(piece, seen, #model.pieces, where, at)
      model.pieces[#model.pieces + 1] = piece
    elseif number == MODEL.trainer_spec then
      protobuf.expect(wire, protobuf.BYTES, "trainer_spec", where, at)
      message(text, value, TRAINER, where, model.trainer)
    elseif number == MODEL.normalizer_spec then
      protobuf.expect(wire, protobuf.BYTES, "normalizer_spec", where, at)
      message(text, value, NORMALIZER, where, model.normalizer)
    end
  end)
  return model, seen
end

local function refuse(message_text, where)
  error(outcome.error("checkpoint", message_text, nil, where), 0)
end

--- Reads a model file.
---@param folder qspec.Folder
---@param name string
---@return table { pieces: {piece, score, type}[], ids: table<string, integer>, trainer: table,
---  charsmap: string? base64 }
function M.read(folder, name)
  local path, text = folder:file(name), folder:text(name)
  local model, ids = parse(text, path)
  if #model.pieces == 0 then
    refuse("no pieces are in this SentencePiece model", path)
  elseif model.trainer.unk_id >= #model.pieces then
    refuse(("unk_id is %.0f, there are %d pieces"):format(model.trainer.unk_id, #model.pieces),
      path)
  end
  model.ids = ids
  local charsmap = model.normalizer.charsmap
  model.charsmap = charsmap and charsmap ~= "" and base64(charsmap) or nil
  return model
end

-- Where the characters of a text begin, after the first.
local function boundaries(text)
  local places = {}
  for i = 2, #text do
    local byte = text:byte(i)
    if byte < 0x80 or byte > 0xbf then places[#places + 1] = i end
  end
  return places
end

-- Every pair of pieces that make up a piece, by the ids of the two.
local function splits(piece, ids, found)
  local places, own = boundaries(piece), {}
  for i, place in ipairs(places) do
    local left, right = ids[piece:sub(1, place - 1)], ids[piece:sub(place)]
    if left and right then
      own[#own + 1] = { left = left, right = right, id = ids[piece], left_length = i,
        right_length = #places + 1 - i }
    end
  end
  table.sort(own, function(a, b)
    if a.left ~= b.left then return a.left < b.left end
    return a.right < b.right
  end)
  for _, each in ipairs(own) do
    each.position = #found + 1
    found[each.position] = each
  end
end

local function before(a, b)
  if a.id ~= b.id then return a.id < b.id end
  if a.left_length ~= b.left_length then return a.left_length < b.left_length end
  if a.right_length ~= b.right_length then return a.right_length < b.right_length end
  return a.position < b.position
end

--- The merges of a vocabulary that has none, in the order of its ids.
---
--- Source: transformers 5.17, tokenization_utils_base.py (generate_merges without scores).
---@param pieces string[] from id 0 on
---@param ids table<string, integer>
---@return { [1]: string, [2]: string }[]
function M.merges(pieces, ids)
  local found, merges = {}, {}
  for _, piece in ipairs(pieces) do splits(piece, ids, found) end
  table.sort(found, before)
  for i, each in ipairs(found) do merges[i] = { pieces[each.left + 1], pieces[each.right + 1] } end
  return merges
end

return M
