-- What the files beside a vocabulary say of a tokenizer: tokenizer_config.json, the older
-- special_tokens_map.json and added_tokens.json, and tokenizer.json itself.
--
-- Source: transformers 5.17, tokenization_utils_base.py (_from_pretrained).

local added_tokens = require "qspec.tokenizer.added_tokens"
local json = require "host.json"
local outcome = require "qspec.outcome"
local special_tokens = require "qspec.tokenizer.special_tokens"
local tokenizer_file = require "qspec.tokenizer.tokenizer_file"

local M = {}

local function refuse(message, where)
  error(outcome.error("checkpoint", message, nil, where), 0)
end

local function read_object(subject, name)
  if not subject:has_file(name) then return nil end
  local value = subject.folder:json(name)
  if type(value) == "table" and not json.is_array(value) then return value end
  refuse(name .. " is not a JSON object", subject:file(name))
end

--- tokenizer.json, nil when there is none. A null in place of the added tokens is an empty list.
function M.tokenizer_json(subject)
  local file = read_object(subject, "tokenizer.json")
  if not file then return nil end
  tokenizer_file.check(file, subject:file("tokenizer.json"))
  if file.added_tokens == nil or file.added_tokens == json.null then
    file.added_tokens = json.array()
  end
  return file
end

--- The tokens of tokenizer_config.json with their ids; nil when it does not list any.
function M.listed_tokens(config, where)
  local listed = config.added_tokens_decoder
  if type(listed) ~= "table" then return nil end
  local tokens = {}
  for _, key in ipairs(json.keys(listed)) do
    local id, token = tonumber(key), added_tokens.read(listed[key], where)
    if not token or not id or id % 1 ~= 0 or id < 0 then
      refuse(("added_tokens_decoder has an entry '%s' that is no token"):format(key), where)
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

--- Tokens of older files: special_tokens_map.json, added_tokens.json, and tokenizer.json's own.
function M.older_tokens(subject, config, file)
  local tokens = {}
  local map = read_object(subject, "special_tokens_map.json")
  if map then merge_special_tokens_map(config, map, subject:file("special_tokens_map.json")) end
  local where = subject:file("added_tokens.json")
  local added = read_object(subject, "added_tokens.json") or {}
  for _, content in ipairs(json.keys(added)) do
    local special = is_special(config, content)
    if type(added[content]) ~= "number" then
      refuse("an added token has an id that is no number", where)
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

--- The tokens by id; of one id the last.
function M.in_order(tokens)
  local by_id, ids, ordered = {}, {}, {}
  for _, each in ipairs(tokens) do
    if not by_id[each.id] then ids[#ids + 1] = each.id end
    by_id[each.id] = each.token
  end
  table.sort(ids)
  for i, id in ipairs(ids) do ordered[i] = by_id[id] end
  return ordered
end

--- The tokens by their text.
function M.by_content(tokens)
  local known = {}
  for _, token in ipairs(tokens) do known[token.content] = token end
  return known
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

--- tokenizer_config.json; an empty one when there is none.
function M.config(subject)
  return renamed(read_object(subject, "tokenizer_config.json") or {})
end

return M
