-- SentencePiece's BPE as tokenizer.json has it: merges made of the pieces' scores.
--
-- Source: transformers 5.17, convert_slow_tokenizer.py (SentencePieceExtractor, LlamaConverter,
-- GemmaConverter).

local json = require "host.json"

local M = {}

-- Where the characters of a text begin, after the first.
local function boundaries(text)
  local places = {}
  for i = 2, #text do
    local byte = text:byte(i)
    if byte < 0x80 or byte > 0xbf then places[#places + 1] = i end
  end
  return places
end

-- Every pair of pieces that make up a piece.
local function splits(piece, vocab, score, found)
  local places, own = boundaries(piece), {}
  for i, place in ipairs(places) do
    local left, right = piece:sub(1, place - 1), piece:sub(place)
    if vocab[left] and vocab[right] then
      own[#own + 1] = { left = left, right = right, score = score, left_length = i,
        right_length = #places + 1 - i }
    end
  end
  table.sort(own, function(a, b)
    if vocab[a.left] ~= vocab[b.left] then return vocab[a.left] < vocab[b.left] end
    return vocab[a.right] < vocab[b.right]
  end)
  for _, each in ipairs(own) do
    each.position = #found + 1
    found[each.position] = each
  end
end

-- The best score first; of equal ones the longest, then as they were found.
local function before(a, b)
  if a.score ~= b.score then return a.score > b.score end
  if a.left_length ~= b.left_length then return a.left_length > b.left_length end
  if a.right_length ~= b.right_length then return a.right_length > b.right_length end
  return a.position < b.position
end

--- The merges in the order of their rank.
---@param tokens string[]
---@param vocab table<string, integer>
---@param scores number[]
---@return table[] pairs of strings
function M.merges(tokens, vocab, scores)
  local found, merges = {}, {}
  for i, piece in ipairs(tokens) do splits(piece, vocab, scores[i], found) end
  table.sort(found, before)
  for i, each in ipairs(found) do merges[i] = json.array { each.left, each.right } end
  return merges
end

local SPACE = "\226\150\129"  -- U+2581

local function replace(from, to)
  return { type = "Replace", pattern = { String = from }, content = to }
end

local function sequence(kind, field, list)
  return { type = kind, [field] = json.array(list) }
end

--- The parts of tokenizer.json around the model. A space before each text is LLaMA's way.
---@param space_first boolean
function M.parts(space_first)
  local decoders = { replace(SPACE, " "), { type = "ByteFallback" }, { type = "Fuse" } }
  if not space_first then
    return { normalizer = replace(" ", SPACE), decoder = sequence("Sequence", "decoders", decoders),
      pre_tokenizer = { type = "Split", pattern = { String = " " },
        behavior = "MergedWithPrevious", invert = false } }
  end
  decoders[4] = { type = "Strip", content = " ", start = 1, stop = 0 }
  return { pre_tokenizer = json.null, decoder = sequence("Sequence", "decoders", decoders),
    normalizer = sequence("Sequence", "normalizers",
      { { type = "Prepend", prepend = SPACE }, replace(" ", SPACE) }) }
end

return M
