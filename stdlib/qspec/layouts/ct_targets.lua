-- Targets and ignore lists of compressed-tensors: the class of a module, its exact name, or "re:"
-- and a regular expression that matches from the name's beginning.
--
-- Source: compressed-tensors 0.20, utils/match.py (match_name, _match_class, match_targets).

local M = {}

-- Classes that a module is one of: its own, and torch's that it descends from.
local function is_of_class(module, target)
  if module.class == target or target == "Module" then return true end
  if module.kind == "linear" then return target == "Linear" and module.class ~= "Conv1D" end
  return module.kind == "embedding" and target == "Embedding"
end

---@class qspec.CtTarget
---@field key string as the config has it
---@field names fun(name: string): boolean whether it names a module
---@field matches fun(module: table): boolean whether it names it or its class

--- Compiles one entry.
---@param key string
---@return qspec.CtTarget|nil target
---@return string|nil reason why it cannot be compiled
function M.compile(key)
  local pattern = key:match("^re:(.*)$")
  local names
  if pattern then
    local ok, regex = pcall(require("host.text").regex, pattern)
    if not ok then return nil, ("'%s' is no regular expression"):format(key) end
    names = function(name) return regex:matches_start(name) end
  else
    names = function(name) return name == key end
  end
  return { key = key, is_pattern = pattern ~= nil, names = names,
    matches = function(module) return names(module.name) or is_of_class(module, key) end }
end

--- The order in which entries are tried: exact names first, then patterns.
local function before(a, b)
  if a.is_pattern ~= b.is_pattern then return b.is_pattern end
  return a.key < b.key
end

--- Sorts targets as the library does.
---@param targets qspec.CtTarget[]
function M.sort(targets)
  table.sort(targets, before)
end

--- The target that decides on a module: by name before by class.
---@param targets qspec.CtTarget[] sorted
---@param module table
---@return qspec.CtTarget|nil
function M.deciding(targets, module)
  for _, target in ipairs(targets) do
    if target.names(module.name) then return target end
  end
  for _, target in ipairs(targets) do
    if target.matches(module) then return target end
  end
end

--- The first entry of an ignore list that matches a module, or nil.
function M.ignoring(ignore, module)
  for _, entry in ipairs(ignore) do
    if entry.matches(module) then return entry end
  end
end

return M
