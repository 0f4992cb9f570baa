-- Special tokens of a tokenizer: those with a name and those without.
--
-- Source: transformers 5.17, tokenization_utils_base.py (_from_pretrained, __init__).

local added_tokens = require "qspec.tokenizer.added_tokens"
local json = require "host.json"
local outcome = require "qspec.outcome"

local M = {}

--- Names in the order in which they are added.
M.NAMES = { "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token",
  "mask_token" }

local STANDARD = {}
for _, name in ipairs(M.NAMES) do STANDARD[name] = true end

local function refuse(message, where)
  error(outcome.error("checkpoint", message, nil, where), 0)
end

-- A text or a token; known ones in place of texts that are equal.
local function value_of(value, known, where, key)
  if value == json.null or value == nil then return nil end
  if type(value) == "table" and value.__type ~= "AddedToken" then
    refuse(("%s is an object without __type, wanted a text or an AddedToken"):format(key), where)
  end
  local token = type(value) == "table" and added_tokens.read(value, where) or value
  local content = type(token) == "table" and token.content or token
  if type(content) ~= "string" then refuse(("%s is no text"):format(key), where) end
  return known[content] or token
end

local function is_named(key, value)
  return key:find("_token$") and not STANDARD[key]
    and (type(value) == "string" or type(value) == "table" and value.__type == "AddedToken")
end

-- Names that a model has beside the standard ones.
local function own_names(config)
  local names = {}
  for _, key in ipairs(json.keys(config)) do
    if is_named(key, config[key]) then names[#names + 1] = { key, config[key] } end
  end
  local extra = config.extra_special_tokens
  if type(extra) == "table" and not json.is_array(extra) and extra ~= json.null then
    for _, key in ipairs(json.keys(extra)) do names[#names + 1] = { key, extra[key] } end
  end
  return names
end

-- The tokens of a list in a config; nil when there is none under the key.
local function listed(config, key, where)
  local values = config[key]
  if type(values) ~= "table" or not json.is_array(values) then return nil end
  local list = {}
  for i, value in ipairs(values) do
    list[i] = value_of(value, {}, where, key) or refuse(("%s has a null"):format(key), where)
  end
  return list
end

--- A token's text.
function M.content(token)
  return type(token) == "table" and token.content or token
end

--- The special tokens.
---@param class table of tokenizer_classes
---@param config table tokenizer_config.json, with what older files say
---@param known table<string, table> added tokens by content
---@param where string
---@return { order: string[], values: table<string, any> }
function M.read(class, config, known, where)
  local special = { order = {}, values = {} }
  local function set(name, value)
    local token = value_of(value, known, where, name)
    if token == nil then return end
    if special.values[name] == nil then special.order[#special.order + 1] = name end
    special.values[name] = token
  end
  for _, name in ipairs(M.NAMES) do
    if config[name] ~= nil then set(name, config[name]) else set(name, class.tokens[name]) end
  end
  for _, pair in ipairs(class.named_tokens or {}) do set(pair[1], pair[2]) end
  for _, pair in ipairs(own_names(config)) do set(pair[1], pair[2]) end
  return special
end

--- The special tokens without a name: the config's, else the class's and those of the vocabulary.
---@param class table
---@param config table
---@param found table[]? control and user defined pieces of the vocabulary
---@param o table options of the class
---@param where string
---@return any[] texts and tokens
function M.unnamed(class, config, found, o, where)
  local said = listed(config, "extra_special_tokens", where)
  if said or type(config.extra_special_tokens) == "table" then return said or {} end
  local list = found or listed(config, "additional_special_tokens", where) or {}
  return class.additional and class.additional(list, o) or list
end

return M
