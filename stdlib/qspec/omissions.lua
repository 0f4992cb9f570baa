-- What a checkpoint asks of a run of the model and the engine leaves out: a layout's `omits` of one
-- weight, a format's `omits` of the config. What was computed is then not quite what the library
-- computes, and whoever reads the result is told so.

local system = require "host.system"
local units = require "qspec.units"

local M = {}

local function of_layouts(census)
  local order, groups = {}, {}
  for _, row in ipairs(census.modules) do
    for _, text in ipairs(row.layout and row.layout.omits and row.layout.omits(row.weight) or {}) do
      if not groups[text] then
        groups[text] = { count = 0, first = row.name }
        order[#order + 1] = text
      end
      groups[text].count = groups[text].count + 1
    end
  end
  return order, groups
end

--- One sentence for each omission.
---@param subject table
---@return string[]
function M.of(subject)
  local list = {}
  local order, groups = of_layouts(subject.census)
  for _, text in ipairs(order) do
    list[#list + 1] = ("not modelled: %s, %s first: %s"):format(units.count(groups[text].count,
      "module"), groups[text].first, text)
  end
  local format = subject.format
  for _, text in ipairs(format and format.omits and format.omits(subject.quantization_values)
    or {}) do
    list[#list + 1] = "not modelled: " .. text
  end
  return list
end

--- Prints them to standard error.
function M.warn(subject)
  for _, text in ipairs(M.of(subject)) do system.stderr(("qspec: %s\n"):format(text)) end
end

return M
