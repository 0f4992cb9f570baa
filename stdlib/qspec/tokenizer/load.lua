-- A checkpoint's tokenizer as transformers' AutoTokenizer has it: the class's pipeline or the
-- file's, with the tokens that the configs add.
--
-- Source: transformers 5.17, tokenization_utils_tokenizers.py (convert_to_native_format, __init__)
-- and tokenization_utils_base.py (_from_pretrained).

local added_tokens = require "qspec.tokenizer.added_tokens"
local choice = require "qspec.tokenizer.choice"
local components = require "qspec.tokenizer.components"
local configs = require "qspec.tokenizer.configs"
local json = require "host.json"
local options = require "qspec.tokenizer.options"
local special_tokens = require "qspec.tokenizer.special_tokens"
local vocabularies = require "qspec.tokenizer.vocabularies"

local M = {}

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
  local known = configs.by_content(listed)
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
  local config = configs.config(subject)
  local where = subject:file("tokenizer_config.json")
  local class = class_of(subject, config)
  if not configs.listed_tokens(config, where) then configs.older_tokens(subject, config, nil) end
  local special = special_tokens.read(class, config, {}, where)
  local is_generic = not class.build and not subject:has_file("tokenizer.json")
  if is_generic and subject:has_file(class.file) then
    add_names(special, config, vocabularies.read(subject, class, nil, {}))
  end
  return M.names(special)
end

local function all_added(class, vocabulary, file, listed, special)
  local added = added_tokens.new(vocabulary.ids, vocabulary.size)
  tokens_of_file(added, file, class)
  add_tokens(added, listed, special)
  local add = ADD_AGAIN[class.adds_special_tokens]
  for _, value in ipairs(add and all_special(special) or {}) do add(added, value) end
  return added
end

-- Truncation and padding of a file are reset by each call of transformers.
local function completed(parts)
  parts.version, parts.truncation, parts.padding = "1.0", json.null, json.null
  for _, name in ipairs { "normalizer", "pre_tokenizer", "post_processor", "decoder" } do
    if parts[name] == nil then parts[name] = json.null end
  end
  return parts
end

--- The tokenizer as a tokenizer.json would have it, and what is beside it.
---@param subject table
---@return { parts: table, class: table, config: table, special: table, where: string }
function M.describe(subject)
  local config = configs.config(subject)
  local file = configs.tokenizer_json(subject)
  local where = subject:file("tokenizer_config.json")
  local class = class_of(subject, config)
  local listed = configs.listed_tokens(config, where)
  listed = configs.in_order(listed or configs.older_tokens(subject, config, file))
  local special = special_tokens.read(class, config, configs.by_content(listed), where)
  local vocabulary = vocabularies.read(subject, class, file, options(config, special, {}))
  add_names(special, config, vocabulary)
  special.unnamed = special_tokens.unnamed(class, config, vocabulary.added,
    options(config, special, vocabulary), where)
  local added = all_added(class, vocabulary, file, listed, special)
  local o = options(config, special, vocabulary, added)
  local parts = assembled(class, vocabulary, o, file)
  parts.post_processor = post_processor(class, config, parts, file, o)
  parts.added_tokens = added:list()
  return { parts = completed(parts), class = class, config = config, special = special, file = file,
    where = vocabulary.where }
end

return M
