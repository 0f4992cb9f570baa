-- Added tokens: what configs say of them, and how the library tokenizers keeps them.
--
-- Source: tokenizers 0.23, added_vocabulary.rs; transformers 5.17,
-- tokenization_utils_tokenizers.py.

local json = require "host.json"
local outcome = require "qspec.outcome"
local printable = require "qspec.printable"

local M = {}

local function refuse(message, where)
  error(outcome.error("checkpoint", message, nil, where), 0)
end

local FLAGS = { "single_word", "lstrip", "rstrip", "normalized", "special" }

--- A token; flags are false unless given, but `normalized`, which is true unless it is special.
---@param content string
---@param flags table?
function M.token(content, flags)
  local token = { content = content }
  for _, flag in ipairs(FLAGS) do token[flag] = flags and flags[flag] or false end
  if not flags or flags.normalized == nil then token.normalized = not token.special end
  return token
end

--- A token as a config has it, from an object; nil for what is none.
---@param object any
---@param where string
---@return table?
function M.read(object, where)
  if type(object) ~= "table" or json.is_array(object) then return nil end
  if type(object.content) ~= "string" then
    refuse("an added token has no content that is a text", where)
  end
  for _, flag in ipairs(FLAGS) do
    if object[flag] ~= nil and type(object[flag]) ~= "boolean" then
      refuse(("the added token '%s' has a '%s' that is no boolean"):format(
        printable.line(object.content), flag), where)
    end
  end
  return M.token(object.content, object)
end

local Added = {}
Added.__index = Added

--- The added tokens of a tokenizer, by id.
---@param vocab table<string, integer> of the model
---@param size integer of the model's vocabulary
function M.new(vocab, size)
  return setmetatable({ vocab = vocab, size = size, by_id = {}, ids = {}, last = -1 }, Added)
end

--- The id of a token, added or of the model.
function Added:id(content)
  return self.ids[content] or self.vocab[content]
end

-- Behind the model's vocabulary, and behind what was added so far.
function Added:next_id()
  return self.last >= self.size and self.last + 1 or self.size
end

--- Adds a token, or says anew what one is like.
---@param token table
function Added:add(token)
  if token.content == "" then return end
  local id = self:id(token.content) or self:next_id()
  self.ids[token.content], self.by_id[id] = id, token
  self.last = math.max(self.last, id)
end

--- Adds a token that is special whatever it says.
function Added:add_special(token)
  local special = M.token(token.content, token)
  special.normalized, special.special = token.normalized, true
  self:add(special)
end

--- As tokenizer.json lists them.
function Added:list()
  local ids, list = {}, {}
  for id in pairs(self.by_id) do ids[#ids + 1] = id end
  table.sort(ids)
  for i, id in ipairs(ids) do
    local token = self.by_id[id]
    list[i] = { id = id, content = token.content, single_word = token.single_word,
      lstrip = token.lstrip, rstrip = token.rstrip, normalized = token.normalized,
      special = token.special }
  end
  return json.array(list)
end

return M
