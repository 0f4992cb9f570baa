-- Whether a GGUF file reads and ends texts as the folder that it was made from: its tokenizer is
-- made again of metadata, so that no file can be held against a file.

local outcome = require "qspec.outcome"

local M = {}

-- Blanks, digits, contractions, other scripts: where kinds of tokenizers part.
local PROBES = { "Hello, my name is Anna; I'm 27 years old and it's 10:45.",
  "  two  blanks\tand\n\na line", "naïve café, Ünïcode 東京 привет 🙂",
  "x=3+14159 foo_bar(HTTPServer)" }

---@class qspec.WordsDifference
---@field key string
---@field found string
---@field wanted string

local function ids_text(ids)
  return ("%d tokens: %s"):format(#ids, table.concat(ids, " ", 1, math.min(#ids, 8)))
end

local function same(a, b)
  return table.concat(a, " ") == table.concat(b, " ")
end

local function encoded(subject, text)
  local ok, ids = pcall(function() return subject.tokenizer:encode(text, true) end)
  if ok then return ids end
  return nil, outcome.from(ids).message
end

local function compare_texts(list, subject, baseline)
  for _, text in ipairs(PROBES) do
    local wanted = encoded(baseline, text)
    local ids, reason = encoded(subject, text)
    if wanted and not (ids and same(ids, wanted)) then
      list[#list + 1] = { key = "tokenizer", found = ids and ids_text(ids) or reason,
        wanted = ids_text(wanted) .. " as in the baseline" }
      return  -- the others differ for the same reason
    end
  end
end

local function compare_ids(list, subject, baseline)
  for _, name in ipairs { "bos_token_id", "eos_token_id" } do
    local mine, theirs = subject.generation_config[name], baseline.generation_config[name]
    local is_one = type(theirs) == "number"
    if is_one and mine ~= theirs then
      list[#list + 1] = { key = name, found = tostring(mine),
        wanted = tostring(theirs) .. ", as in the baseline" }
    end
  end
end

--- How the words of a GGUF file differ from those of its baseline.
---@param subject table a GGUF file
---@param baseline table a model folder
---@return qspec.WordsDifference[]
function M.differences(subject, baseline)
  local list = {}
  compare_ids(list, subject, baseline)
  compare_texts(list, subject, baseline)
  return list
end

return M
