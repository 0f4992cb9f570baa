-- tokenizer.json, as far as it is taken apart here: its shape is checked before anything is taken.

local json = require "host.json"
local outcome = require "qspec.outcome"
local printable = require "qspec.printable"

local M = {}

local MOST_IDS = 2 ^ 31

local function refuse(where, message, ...)
  error(outcome.error("checkpoint", message:format(...), nil, where), 0)
end

local function is_object(value)
  return type(value) == "table" and not json.is_array(value)
end

local function is_list(value)
  return type(value) == "table" and json.is_array(value)
end

local function is_id(value)
  return type(value) == "number" and value % 1 == 0 and value >= 0 and value < MOST_IDS
end

local function check_added_tokens(tokens, where)
  if tokens == nil or tokens == json.null then return end
  if not is_list(tokens) then refuse(where, "added_tokens is no list") end
  for i, token in ipairs(tokens) do
    if not is_object(token) or not is_id(token.id) then
      refuse(where, "added_tokens[%d] is no token with an id", i - 1)
    end
  end
end

-- Of a Unigram: pieces with scores.
local function check_pieces(pieces, where)
  for i, piece in ipairs(pieces) do
    if not is_list(piece) or type(piece[1]) ~= "string" or type(piece[2]) ~= "number" then
      refuse(where, "model.vocab[%d] is no piece with a score", i - 1)
    end
  end
end

local function check_vocab(vocab, where)
  for token, id in pairs(vocab) do
    if not is_id(id) then
      refuse(where, "the token '%s' has the id %s, wanted a whole number", printable.line(token),
        printable.line(tostring(id)))
    end
  end
end

local function check_merges(merges, where)
  if merges == nil or merges == json.null then return end
  if not is_list(merges) then refuse(where, "model.merges is no list") end
  for i, merge in ipairs(merges) do
    local is_pair = is_list(merge) and #merge == 2 and type(merge[1]) == "string"
      and type(merge[2]) == "string"
    if type(merge) ~= "string" and not is_pair then
      refuse(where, "model.merges[%d] is no pair of tokens", i - 1)
    end
  end
end

local function check_normalizer(normalizer, where)
  if normalizer == nil or normalizer == json.null then return end
  if not is_object(normalizer) then refuse(where, "the normalizer is no object") end
  if normalizer.type ~= "Sequence" then return end
  for _, one in ipairs(is_list(normalizer.normalizers) and normalizer.normalizers or { false }) do
    if not is_object(one) then refuse(where, "the normalizer is a Sequence of no normalizers") end
  end
end

--- Raises for a shape that cannot be a tokenizer's.
---@param file table
---@param where string
function M.check(file, where)
  local model = file.model
  if not is_object(model) or type(model.vocab) ~= "table" then
    refuse(where, "tokenizer.json has no model with a vocabulary")
  end
  if is_list(model.vocab) then
    check_pieces(model.vocab, where)
  else
    check_vocab(model.vocab, where)
  end
  check_merges(model.merges, where)
  check_added_tokens(file.added_tokens, where)
  check_normalizer(file.normalizer, where)
end

return M
