-- Which modules an auto-round config packs, and how.
--
-- Source: auto-round 0.16, inference/convert_model.py get_layer_config, inference/utils.py
-- _expand_regex_config and export/export_to_autogptq/export.py convert_from_autogptq_dynamic.

local gptq_modules = require "qspec.layouts.gptq_modules"
local json = require "host.json"

local M = {}

local function split(text)
  local list = {}
  for part in text:gmatch("[^,]+") do list[#list + 1] = part end
  return list
end

-- The prefix that names have in common, without a dot at its end.
local function common_prefix(names)
  local prefix = names[1] or ""
  for _, name in ipairs(names) do
    while not gptq_modules.starts(name, prefix) do prefix = prefix:sub(1, -2) end
  end
  return (prefix:gsub("%.+$", ""))
end

-- quant_block_list may be a list of lists of blocks, each of which stands for what is common to it.
local function prefixes_of(list)
  local prefixes = {}
  for _, entry in ipairs(list) do
    if type(entry) == "table" then
      prefixes[#prefixes + 1] = common_prefix(gptq_modules.flatten(entry))
    elseif type(entry) == "string" then
      prefixes[#prefixes + 1] = entry
    end
  end
  return prefixes
end

--- The prefixes of the blocks that a config names; the model's own blocks when it names none.
---@param values table
---@param modules table[]
---@return string[]
function M.prefixes(values, modules)
  if type(values.quant_block_list) == "table" then return prefixes_of(values.quant_block_list) end
  local named = values.block_name_to_quantize or values.to_quant_block_names
  if type(named) == "table" then return gptq_modules.flatten(named) end
  if type(named) == "string" then return split(named) end
  return { gptq_modules.block_prefix(modules) }
end

function M.is_in_blocks(name, prefixes)
  for _, prefix in ipairs(prefixes) do
    if gptq_modules.starts(name, prefix) then return true end
  end
  return false
end

-- A key that is no module's name is searched for as a regular expression, anywhere in the names.
local function matcher(key, is_module)
  if is_module then return function(name) return name == key end end
  local compiled, regex = pcall(require("host.text").regex, ".*(?:" .. key .. ")")
  return function(name) return compiled and regex:matches_start(name) end
end

local FULL = { bits = 16 }

local function add(rules, key, settings, names, source)
  rules[#rules + 1] = { key = key, settings = settings, source = source,
    exact = names[key] == true, matches = matcher(key, names[key] == true) }
end

-- GPTQModel's rules in auto-round's words; one without a sign is ignored.
local function add_dynamic(rules, dynamic, names)
  for _, key in ipairs(type(dynamic) == "table" and json.keys(dynamic) or {}) do
    local sign = key:sub(1, 2)
    if sign == "-:" then add(rules, key:sub(3), FULL, names, "dynamic") end
    if sign == "+:" and type(dynamic[key]) == "table" then
      add(rules, key:sub(3), dynamic[key], names, "dynamic")
    end
  end
end

--- Settings of modules of their own, in the order in which they count: modules by name, then rules
--- of `dynamic`, then exclusions, then regular expressions of extra_config.
---@param values table
---@param modules table[]
---@return table[] {key, settings, matches}
function M.rules(values, modules)
  local names, extra, rules, patterns = {}, values.extra_config, {}, {}
  for _, module in ipairs(modules) do names[module.name] = true end
  for _, key in ipairs(type(extra) == "table" and json.keys(extra) or {}) do
    if type(extra[key]) == "table" then
      add(names[key] and rules or patterns, key, extra[key], names, "extra_config")
    end
  end
  add_dynamic(rules, values.dynamic, names)
  for _, key in ipairs(gptq_modules.flatten(values.modules_to_not_convert)) do
    add(rules, key, FULL, names, "modules_to_not_convert")
  end
  for _, rule in ipairs(patterns) do rules[#rules + 1] = rule end
  return rules
end

return M
