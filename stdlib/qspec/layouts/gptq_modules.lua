-- Which modules a GPTQ config packs, and how: blocks, lists of modules, rules by name.
--
-- Source: optimum 2.3, gptq/quantizer.py convert_model, gptq/utils.py get_layers and
-- get_block_name_with_pattern; GPTQModel 7.7, quantization/config.py _resolve_dynamic_override.

local json = require "host.json"

local M = {}

local BLOCK_PATTERNS = { "transformer.h", "model.decoder.layers", "gpt_neox.layers",
  "model.layers", "model.language_model.layers", "h", "decoder.layers", "layers" }

local function starts(name, prefix)
  return name:sub(1, #prefix) == prefix
end

local function ends(name, suffix)
  return #suffix <= #name and name:sub(-#suffix) == suffix
end

--- The prefix of the modules that lie in the model's blocks; nil when no module has a known one.
---@param modules table[]
---@return string|nil
function M.block_prefix(modules)
  for _, pattern in ipairs(BLOCK_PATTERNS) do
    for _, module in ipairs(modules) do
      if starts(module.name, pattern) then return pattern end
    end
  end
end

--- The texts of a list of lists, in order; anything else in it is left out.
---@param value any
---@return string[]
function M.flatten(value)
  local list = {}
  local function add(item)
    if type(item) == "string" then list[#list + 1] = item end
    for _, inner in ipairs(type(item) == "table" and item or {}) do add(inner) end
  end
  add(value)
  return list
end

--- Whether a name ends with one of the entries, as modules_in_block_to_quantize is compared.
function M.is_listed(name, entries)
  for _, entry in ipairs(entries) do
    if ends(name, entry) then return true end
  end
  return false
end

M.starts = starts

---@class qspec.GptqRule
---@field key string as the config has it
---@field excludes boolean "-:" rules leave a module dense
---@field settings table what they change otherwise
---@field matches fun(name: string): boolean
---@field problem string|nil why it never matches

local function rule_of(key, settings)
  local sign = key:sub(1, 2)
  local pattern = (sign == "-:" or sign == "+:") and key:sub(3) or key
  local compiled, regex = pcall(require("host.text").regex, pattern)
  local rule = { key = key, excludes = sign == "-:",
    settings = type(settings) == "table" and settings or {},
    problem = not compiled and "no regular expression" or nil }
  function rule.matches(name) return compiled and regex:matches_start(name) end
  return rule
end

--- The rules of `dynamic`, in the order of the file: the first that matches a name decides.
---@param dynamic any
---@return qspec.GptqRule[]
function M.rules(dynamic)
  if type(dynamic) ~= "table" or json.is_array(dynamic) then return {} end
  local rules = {}
  for _, key in ipairs(json.keys(dynamic)) do
    rules[#rules + 1] = rule_of(key, dynamic[key])
  end
  return rules
end

--- The rule that decides on a module, or nil.
function M.find(rules, name)
  for _, rule in ipairs(rules) do
    if rule.matches(name) then return rule end
  end
end

--- The general config with what a rule changes.
---@param values table
---@param rule qspec.GptqRule
function M.with_rule(values, rule)
  local own = {}
  for key, value in pairs(values) do own[key] = value end
  for _, key in ipairs { "bits", "group_size", "sym", "desc_act" } do
    local value = rule.settings[key]
    if value ~= nil and value ~= json.null then own[key] = value end
  end
  return own
end

return M
