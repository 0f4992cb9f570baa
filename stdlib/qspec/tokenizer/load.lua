-- A checkpoint's tokenizer as transformers' AutoTokenizer has it: the class's pipeline or the
-- file's, with the tokens that the configs add.
--
-- Source: transformers 5.17, tokenization_utils_tokenizers.py (convert_to_native_format, __init__)
-- and tokenization_utils_base.py (_from_pretrained).

local added_tokens = require "qspec.tokenizer.added_tokens"
local choice = require "qspec.tokenizer.choice"
local components = require "qspec.tokenizer.components"
local json = require "host.json"
local outcome = require "qspec.outcome"
local special_tokens = require "qspec.tokenizer.special_tokens"
local tokenizer_file = require "qspec.tokenizer.tokenizer_file"
local vocabularies = require "qspec.tokenizer.vocabularies"

local M = {}

local MOST_TOKENS = 65536  -- that a config may ask for by their number

local function refuse(message, hint, where)
  error(outcome.error("checkpoint", message, hint, where), 0)
end

local function read_object(subject, name)
  if not subject:has_file(name) then return nil end
  local value = json.read(subject:file(name))
  if type(value) == "table" and not json.is_array(value) then return value end
  refuse(name .. " is not a JSON object", nil, subject:file(name))
end

-- A null in place of the list of added tokens is none.
local function tokenizer_json(subject)
  local file = read_object(subject, "tokenizer.json")
  if not file then return nil end
  tokenizer_file.check(file, subject:file("tokenizer.json"))
  if file.added_tokens == nil or file.added_tokens == json.null then
    file.added_tokens = json.array()
  end
  return file
end

-- What the configs say ---------------------------------------------------------------------------

-- The tokens of tokenizer_config.json by id; nil when it does not list any.
local function listed_tokens(config, where)
  local listed = config.added_tokens_decoder
  if type(listed) ~= "table" then return nil end
  local tokens = {}
  for _, key in ipairs(json.keys(listed)) do
    local id, token = tonumber(key), added_tokens.read(listed[key], where)
    if not token or not id or id % 1 ~= 0 or id < 0 then
      refuse(("added_tokens_decoder has an entry '%s' that is no token"):format(key), nil, where)
    end
    tokens[#tokens + 1] = { id = id, token = token }
  end
  return tokens
end

local function merge_special_tokens_map(config, map, where)
  for _, key in ipairs(json.keys(map)) do
    local value = map[key]
    if type(value) == "table" and not json.is_array(value) and key ~= "extra_special_tokens" then
      local token = added_tokens.read(value, where)
      token.special, token.__type = true, "AddedToken"
      if value.normalized == nil then token.normalized = false end
      value = token
    end
    config[key] = value
  end
end

local function is_special(config, content)
  for _, name in ipairs(special_tokens.NAMES) do
    local value = config[name]
    if value == content or type(value) == "table" and value.content == content then return true end
  end
  for _, value in ipairs(type(config.extra_special_tokens) == "table"
    and config.extra_special_tokens or {}) do
    if value == content or type(value) == "table" and value.content == content then return true end
  end
  return false
end

-- Tokens of older files: special_tokens_map.json, added_tokens.json, and tokenizer.json's own.
local function older_tokens(subject, config, file)
  local tokens = {}
  local map = read_object(subject, "special_tokens_map.json")
  if map then merge_special_tokens_map(config, map, subject:file("special_tokens_map.json")) end
  local where = subject:file("added_tokens.json")
  local added = read_object(subject, "added_tokens.json") or {}
  for _, content in ipairs(json.keys(added)) do
    local special = is_special(config, content)
    if type(added[content]) ~= "number" then
      refuse("an added token has an id that is no number", nil, where)
    end
    tokens[#tokens + 1] = { id = added[content], token = added_tokens.token(content,
      { normalized = not special, special = special }) }
  end
  for _, entry in ipairs(file and file.added_tokens or {}) do
    tokens[#tokens + 1] = { id = entry.id,
      token = added_tokens.read(entry, subject:file("tokenizer.json")) }
  end
  return tokens
end

-- By id; of one id the last.
local function in_order(tokens)
  local by_id, ids, ordered = {}, {}, {}
  for _, each in ipairs(tokens) do
    if not by_id[each.id] then ids[#ids + 1] = each.id end
    by_id[each.id] = each.token
  end
  table.sort(ids)
  for i, id in ipairs(ids) do ordered[i] = by_id[id] end
  return ordered
end

local function by_content(tokens)
  local known = {}
  for _, token in ipairs(tokens) do known[token.content] = token end
  return known
end

-- Tokens that are added --------------------------------------------------------------------------

local function is_a_special(special, content)
  for _, name in ipairs(special.order) do
    if special_tokens.content(special.values[name]) == content then return true end
  end
  return false
end

-- A text becomes a special token; a token with a name becomes special.
local function as_token(value, special)
  if type(value) == "string" then return added_tokens.token(value, { special = true }) end
  if not value.special and is_a_special(special, value.content) then value.special = true end
  return value
end

local function all_special(special)
  local list, seen = {}, {}
  local function take(value)
    local content = special_tokens.content(value)
    if not seen[content] then list[#list + 1], seen[content] = value, true end
  end
  for _, name in ipairs(special.order) do take(special.values[name]) end
  for _, value in ipairs(special.unnamed) do take(value) end
  return list
end

local function add_tokens(added, listed, special)
  local first = {}
  for _, token in pairs(added.by_id) do first[token.content] = true end
  local known = by_content(listed)
  for _, token in ipairs(listed) do added:add(as_token(token, special)) end
  for _, value in ipairs(all_special(special)) do
    local content = special_tokens.content(value)
    if not (first[content] or known[content]) then added:add(as_token(value, special)) end
  end
end

local ADD_AGAIN = {
  plain = function(added, value)
    added:add(added_tokens.token(special_tokens.content(value), { special = true }))
  end,
  special = function(added, value)
    if type(value) == "string" then value = added_tokens.token(value, { special = true }) end
    added:add_special(value)
  end,
}

-- Parts ------------------------------------------------------------------------------------------

-- What a class's functions may ask for.
local function options(config, special, vocabulary, added)
  local o = { charsmap = vocabulary.charsmap }
  function o.value(name)
    local value = config[name]
    if value == json.null then return nil end
    return value
  end
  function o.flag(name, otherwise)
    local value = o.value(name)
    if value == nil then return otherwise end
    return value ~= false and value ~= 0
  end
  function o.count(name, otherwise)
    local value = o.value(name)
    if value == nil then return otherwise end
    if type(value) == "number" and value % 1 == 0 and value >= 0 and value <= MOST_TOKENS then
      return value
    end
    refuse(("%s is %s, wanted a whole number of 0 to %d"):format(name, json.encode(value),
      MOST_TOKENS), nil, vocabulary.where)
  end
  o.content = special_tokens.content
  function o.token(name) return special_tokens.content(special.values[name]) end
  function o.id(content)
    local id = added and added:id(content)
    if id then return id end
    refuse(("the special token '%s' is not in the vocabulary"):format(tostring(content)), nil,
      vocabulary.where)
  end
  return o
end

-- bos and eos around a text.
local function around(o, adds_bos, adds_eos)
  local bos = adds_bos and o.token("bos_token")
  local eos = adds_eos and o.token("eos_token")
  local single, pair = {}, {}
  local function put(list, letter, type_id)
    if bos then list[#list + 1] = components.word(bos, type_id) end
    list[#list + 1] = components.word(letter, type_id)
    if eos then list[#list + 1] = components.word(eos, type_id) end
  end
  put(single, "$A", 0)
  put(pair, "$A", 0)
  put(pair, "$B", 1)
  return components.template(single, pair, o.id)
end

-- What the tokenizer_config says of bos and eos; the library does not look when a tokenizer.json is
-- there, whose post-processor says so itself.
local function adds(class, config, file)
  local said = { bos = not file and config.add_bos_token, eos = not file and config.add_eos_token }
  local explicit = said.bos ~= nil and said.bos ~= false or said.eos ~= nil and said.eos ~= false
    or not file and (config.add_bos_token ~= nil or config.add_eos_token ~= nil)
  if class.adds_bos and (file or config.add_bos_token == nil) then
    said.bos, explicit = true, true
  end
  return said.bos == true, said.eos == true, explicit
end

local function is_missing(part)
  return part == nil or part == json.null
end

local function post_processor(class, config, parts, file, o)
  local bos, eos, explicit = adds(class, config, file)
  if class.post_processor then return class.post_processor(o) end
  if class.rebuilds_post_processor or explicit or is_missing(parts.post_processor) then
    return around(o, bos, eos)
  end
  return parts.post_processor
end

local function assembled(class, vocabulary, o, file)
  if not class.build then return vocabulary.parts(o) end
  local parts = class.build(o)
  if file and not is_missing(file.post_processor) then
    parts.post_processor = file.post_processor
  end
  for name, value in pairs(vocabulary.model) do parts.model[name] = value end
  return parts
end

local function tokens_of_file(added, file, class)
  for _, entry in ipairs(not class.build and file and file.added_tokens or {}) do
    added:add(added_tokens.read(entry, "tokenizer.json"))
  end
end

local function class_of(subject, config)
  local name = config.tokenizer_class
  if name == nil or name == json.null then name = subject.raw.tokenizer_class end
  return choice.class { model_type = subject.raw.model_type, path = subject.path,
    class = type(name) == "string" and name or nil, where = subject:file("tokenizer_config.json"),
    has_code = type(config.auto_map) == "table" and config.auto_map.AutoTokenizer ~= nil }
end

-- additional_special_tokens is the older name of extra_special_tokens.
local function renamed(config)
  local copy = {}
  for _, key in ipairs(json.keys(config)) do copy[key] = config[key] end
  if copy.additional_special_tokens ~= nil then
    if copy.extra_special_tokens == nil then
      copy.extra_special_tokens = copy.additional_special_tokens
    end
    copy.additional_special_tokens = nil
  end
  return copy
end

--- The named special tokens as texts.
---@param special table of describe
---@return table<string, string>
function M.names(special)
  local names = {}
  for _, name in ipairs(special.order) do
    names[name] = special_tokens.content(special.values[name])
  end
  return names
end

-- What a SentencePiece model calls its tokens, where no class and no config says so.
local function add_names(special, config, vocabulary)
  for name, token in pairs(vocabulary.tokens or {}) do
    if special.values[name] == nil and config[name] == nil then
      special.order[#special.order + 1], special.values[name] = name, token
    end
  end
end

--- Special tokens by name, without reading the vocabulary unless it names them.
---@param subject table
---@return table<string, string>
function M.special_tokens(subject)
  local config = renamed(read_object(subject, "tokenizer_config.json") or {})
  local where = subject:file("tokenizer_config.json")
  local class = class_of(subject, config)
  if not listed_tokens(config, where) then older_tokens(subject, config, nil) end
  local special = special_tokens.read(class, config, {}, where)
  local is_generic = not class.build and not subject:has_file("tokenizer.json")
  if is_generic and subject:has_file(class.file) then
    add_names(special, config, vocabularies.read(subject, class, nil, {}))
  end
  return M.names(special)
end

--- The tokenizer as a tokenizer.json would have it, and what is beside it.
---@param subject table
---@return { parts: table, class: table, config: table, special: table, where: string }
function M.describe(subject)
  local config = renamed(read_object(subject, "tokenizer_config.json") or {})
  local file = tokenizer_json(subject)
  local where = subject:file("tokenizer_config.json")
  local class = class_of(subject, config)
  local listed = listed_tokens(config, where)
  listed = in_order(listed or older_tokens(subject, config, file))
  local special = special_tokens.read(class, config, by_content(listed), where)
  local vocabulary = vocabularies.read(subject, class, file, options(config, special, {}))
  add_names(special, config, vocabulary)
  local added = added_tokens.new(vocabulary.ids, vocabulary.size)
  special.unnamed = special_tokens.unnamed(class, config, vocabulary.added,
    options(config, special, vocabulary), where)
  local o = options(config, special, vocabulary, added)
  local parts = assembled(class, vocabulary, o, file)
  tokens_of_file(added, file, class)
  add_tokens(added, listed, special)
  if class.adds_special_tokens then
    local add = ADD_AGAIN[class.adds_special_tokens]
    for _, value in ipairs(all_special(special)) do add(added, value) end
  end
  parts.post_processor = post_processor(class, config, parts, file, o)
  parts.added_tokens, parts.version = added:list(), "1.0"
  parts.truncation, parts.padding = json.null, json.null
  for _, name in ipairs { "normalizer", "pre_tokenizer", "post_processor", "decoder" } do
    if parts[name] == nil then parts[name] = json.null end
  end
  return { parts = parts, class = class, config = config, special = special, file = file,
    where = vocabulary.where }
end

return M
