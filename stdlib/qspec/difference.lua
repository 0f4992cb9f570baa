-- What two checkpoints say differently: modules, formats, dtypes, configs, tokenizer, template.
--
-- Each part is a list of differences { key, first, second }; an absent side is nil.

local json = require "host.json"
local shapes = require "qspec.shapes"
local system = require "host.system"

local M = {}

---@class qspec.Difference
---@field key string
---@field first string|nil what the first checkpoint says
---@field second string|nil

local function show(value)
  if value == nil then return nil end
  if value == json.null then return "null" end
  return type(value) == "table" and json.encode(value) or tostring(value)
end

local function is_object(value)
  return type(value) == "table" and not json.is_array(value)
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function keys_of(a, b)
  local set, keys = {}, {}
  for _, object in ipairs { a, b } do
    for key in pairs(object) do
      if not set[key] then set[key], keys[#keys + 1] = true, key end
    end
  end
  table.sort(keys, function(x, y) return tostring(x) < tostring(y) end)
  return keys
end

-- Objects key by key, all else as a whole.
local function compare_values(list, key, a, b)
  if is_object(a) and is_object(b) then
    for _, name in ipairs(keys_of(a, b)) do
      compare_values(list, key == "" and tostring(name) or key .. "." .. name, a[name], b[name])
    end
  elseif not same(a, b) then
    list[#list + 1] = { key = key, first = show(a), second = show(b) }
  end
end

--- Two decoded JSON documents.
---@return qspec.Difference[]
function M.of_json(a, b)
  local list = {}
  compare_values(list, "", a or {}, b or {})
  return list
end

local function described(row)
  if not row then return nil end
  local scheme = row.scheme or {}
  local parts = { row.class, tostring(row.logical_dtype or "-"), shapes.text(row.module.shape) }
  if scheme.group_size then parts[#parts + 1] = "groups of " .. scheme.group_size end
  if scheme.symmetric == false then parts[#parts + 1] = "asymmetric" end
  if row.layout then parts[#parts + 1] = row.layout.name end
  if row.status ~= "ok" then parts[#parts + 1] = row.status end
  return table.concat(parts, " ")
end

--- Module by module: class, what it holds, shape, layout.
---@return qspec.Difference[]
function M.of_modules(first, second)
  local list = {}
  for _, row in ipairs(first.census.modules) do
    local a, b = described(row), described(second.census.by_name[row.name])
    if a ~= b then list[#list + 1] = { key = row.name, first = a, second = b } end
  end
  for _, row in ipairs(second.census.modules) do
    if not first.census.by_name[row.name] then
      list[#list + 1] = { key = row.name, second = described(row) }
    end
  end
  return list
end

local function read_json(subject, name)
  return subject:has_file(name) and subject.folder:value(name) or nil
end

local function bytes_differ(first, second, name)
  if not (first:has_file(name) and second:has_file(name)) then return true end
  return first.folder:text(name) ~= second.folder:text(name)
end

-- A vocabulary of 100,000 entries is told by counts and the first that differ.
local function of_vocabulary(list, a, b)
  local counts, first = { only_first = 0, only_second = 0, other_id = 0 }, {}
  local function count(kind, token)
    counts[kind] = counts[kind] + 1
    if not first[kind] or token < first[kind] then first[kind] = token end
  end
  for token, id in pairs(a) do
    if b[token] == nil then count("only_first", token) elseif not same(b[token], id) then
      count("other_id", token)
    end
  end
  for token in pairs(b) do
    if a[token] == nil then count("only_second", token) end
  end
  for _, kind in ipairs { "only_first", "only_second", "other_id" } do
    if counts[kind] > 0 then
      list[#list + 1] = { key = "model.vocab." .. kind,
        first = ("%d tokens, '%s' first"):format(counts[kind], tostring(first[kind])) }
    end
  end
end

local function of_merges(list, a, b)
  if same(a, b) then return end
  list[#list + 1] = { key = "model.merges", first = ("%d merges"):format(#(a or {})),
    second = ("%d merges"):format(#(b or {})) }
end

local function without(object, ...)
  local copy = {}
  for key, value in pairs(object or {}) do copy[key] = value end
  for _, key in ipairs { ... } do copy[key] = nil end
  return copy
end

--- tokenizer.json and tokenizer_config.json.
---@return qspec.Difference[]
function M.of_tokenizer(first, second)
  local list = {}
  if bytes_differ(first, second, "tokenizer.json") then
    local a, b = read_json(first, "tokenizer.json"), read_json(second, "tokenizer.json")
    if (a == nil) ~= (b == nil) then
      list[1] = { key = "tokenizer.json", first = a and "there", second = b and "there" }
    elseif a then
      list = M.of_json(without(a, "model"), without(b, "model"))
      local x, y = a.model or {}, b.model or {}
      compare_values(list, "model", without(x, "vocab", "merges"), without(y, "vocab", "merges"))
      of_vocabulary(list, x.vocab or {}, y.vocab or {})
      of_merges(list, x.merges, y.merges)
    end
  end
  local config = "tokenizer_config.json"
  local a, b = read_json(first, config), read_json(second, config)
  for _, one in ipairs(M.of_json(without(a, "chat_template"), without(b, "chat_template"))) do
    list[#list + 1] = { key = config .. ": " .. one.key, first = one.first, second = one.second }
  end
  return list
end

local function template_of(subject)
  if subject.gguf then return (subject.stored:metadata("tokenizer.chat_template")) end
  if subject:has_file("chat_template.jinja") then
    return subject.folder:text("chat_template.jinja")
  end
  local config = read_json(subject, "tokenizer_config.json")
  local template = config and config.chat_template
  return template ~= json.null and template or nil
end

local function template_text(template)
  if template == nil then return nil end
  local text = show(template)
  return ("%d bytes, sha256 %s"):format(#text, system.sha256(text):sub(1, 12))
end

--- The chat template, wherever it is kept.
---@return qspec.Difference[]
function M.of_template(first, second)
  local a, b = template_of(first), template_of(second)
  if same(a, b) then return {} end
  return { { key = "chat_template", first = template_text(a), second = template_text(b) } }
end

--- Values of the weights, where any differ.
---@return qspec.Difference[]
function M.of_values(first, second)
  local list = {}
  local result = require("qspec.comparison").take(first, second, function() return true end)
  for _, entry in ipairs(result.modules) do
    if entry.skipped then
      list[#list + 1] = { key = entry.module, first = "not compared: " .. entry.skipped }
    elseif not entry.equal then
      list[#list + 1] = { key = entry.module, second = ("SQNR %.2f dB, largest error %.4g"):format(
        entry.sqnr_db, entry.max_abs_error) }
    end
  end
  return list
end

--- All parts in order, each { name, differences }.
---@param first table subject
---@param second table subject
---@param with_values boolean reads every weight
function M.take(first, second, with_values)
  local parts = {
    { "modules", M.of_modules(first, second) },
    { "config", M.of_json(without(first.raw, "quantization_config"),
      without(second.raw, "quantization_config")) },
    { "quantization_config", M.of_json(first.quantization or {}, second.quantization or {}) },
    { "tokenizer", M.of_tokenizer(first, second) },
    { "template", M.of_template(first, second) },
    { "generation_config", M.of_json(first.generation_config, second.generation_config) },
  }
  if with_values then parts[#parts + 1] = { "values", M.of_values(first, second) } end
  local result = {}
  for i, part in ipairs(parts) do result[i] = { name = part[1], differences = part[2] } end
  return result
end

return M
