-- Module-name patterns of a spec, compiled together. A pattern that matches nothing is a mistake.

local glob = require "qspec.glob"
local nearest = require "qspec.nearest"
local outcome = require "qspec.outcome"

local M = {}

local function names_of(rows)
  local names = {}
  for i, row in ipairs(rows) do names[i] = row.name end
  return names
end

-- What a dead pattern may have meant: the module or the part of a module's name next to it.
local function suggestion(pattern, names)
  local bare = pattern:gsub("%*", "")
  local candidates, seen = {}, {}
  local function add(candidate)
    if not seen[candidate] then
      seen[candidate] = true
      candidates[#candidates + 1] = candidate
    end
  end
  for _, name in ipairs(names) do
    add(name)
    for part in name:gmatch("[^.]+") do add(part) end
  end
  local close = nearest((bare:gsub("^%.+", ""):gsub("%.+$", "")), candidates)
  return close and ("did you mean '%s'?"):format(close) or "qspec inspect lists the modules"
end

--- A predicate on module names, or nil when there are no patterns.
---@param patterns string[]
---@param rows table[] with `name`
---@param where string file:line of the spec
function M.compile(patterns, rows, where)
  if #patterns == 0 then return nil end
  local names, compiled = names_of(rows), {}
  for i, pattern in ipairs(patterns) do
    compiled[i] = glob.compile(pattern)
    local hit = false
    for _, name in ipairs(names) do hit = hit or compiled[i](name) end
    if not hit then
      error(outcome.error("spec", ("pattern '%s' matches no module"):format(pattern),
        suggestion(pattern, names), where), 0)
    end
  end
  return function(name)
    for _, matches in ipairs(compiled) do
      if matches(name) then return true end
    end
    return false
  end
end

return M
