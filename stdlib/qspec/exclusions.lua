-- Which modules transformers leaves alone when it quantizes.
--
-- Source: transformers 5.17, quantizers/base.py `get_modules_to_not_convert`,
-- `get_keys_to_not_convert` and quantizers/quantizers_utils.py `should_convert_module`. The quirks
-- are theirs and are kept: a key is a regular expression that matches as a prefix without a
-- boundary, or a plain suffix; only ".weight" is cut from a parameter's name, so that a model whose
-- last parameter is a bias protects a name that no module has.

local M = {}

local function without_weight(name)
  return (name:gsub("%.weight$", ""))
end

--- The name of the last entry of `named_parameters()`; tied copies are not listed there.
local function last_parameter(modules)
  for i = #modules, 1, -1 do
    local module = modules[i]
    local parameters = module.parameters
    if not module.tied_to and #parameters > 0 then
      return module.name .. "." .. parameters[#parameters].name
    end
  end
end

--- Keys that transformers protects when the user gives none.
---@param architecture table
---@param modules table[] in registration order
---@return string[] sorted
function M.default_keys(architecture, modules)
  local set = {}
  for _, module in ipairs(modules) do
    if module.tied_to then
      set[module.name] = true
      set[module.tied_to] = true
    end
  end
  local last = last_parameter(modules)
  if last then set[without_weight(last)] = true end
  if architecture.output then set[architecture.output] = true end
  local keys = {}
  for key in pairs(set) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

-- Whether a name begins with a match of the key. The only metacharacter of a module's name is the
-- dot, any character to Lua too; all else goes to the regular expressions of host.text.
local function starts_with(key)
  if not key:find("[^%w_%.]") then
    local pattern = "^" .. key
    return function(name) return name:find(pattern) ~= nil end
  end
  local compiled, regex = pcall(require("host.text").regex, key)
  return function(name) return compiled and regex:matches_start(name) end
end

--- One key of an exclusion list as a predicate on module names. A key that is no regular
--- expression, on which transformers raises, is taken as a suffix only.
---@param key string
---@return fun(name: string): boolean
function M.matcher(key)
  local starts = starts_with(key)
  return function(name)
    return starts(name) or (#key <= #name and name:sub(-#key) == key)
  end
end

---@class qspec.Exclusion
---@field key string
---@field source "config"|"architecture"|"fp32"|"spec"
---@field matches fun(name: string): boolean

--- The exclusions in force: the user's list replaces the architecture's defaults, it does not add
--- to them; modules kept in fp32 are always left out.
---@param architecture table
---@param modules table[]
---@param skip string[]|nil the list of the config, nil when it has none
---@return qspec.Exclusion[]
function M.in_force(architecture, modules, skip)
  local list = {}
  local function add(keys, source)
    for _, key in ipairs(keys) do
      list[#list + 1] = { key = key, source = source, matches = M.matcher(key) }
    end
  end
  if skip then
    add(skip, "config")
  else
    add(M.default_keys(architecture, modules), "architecture")
  end
  add(architecture.keep_in_fp32 or {}, "fp32")
  return list
end

--- The first exclusion that protects `name`, or nil.
---@param exclusions qspec.Exclusion[]
---@param name string
function M.find(exclusions, name)
  for _, exclusion in ipairs(exclusions) do
    if exclusion.matches(name) then return exclusion end
  end
end

return M
