-- What is found in a checkpoint when nothing is wanted of it yet: every check at its defaults, its
-- measurements and findings, and the modules grouped by what they are.

local name_patterns = require "qspec.name_patterns"
local registry = require "qspec.registry"
local schema = require "qspec.schema"
local tier = require "qspec.tier"
local Context = require "qspec.context"

local M = {}

local MOST_PATTERNS = 16  -- more of them say that no rule was found, and none is worth reading

local function has_required(check)
  for _, param in pairs(check.params or {}) do
    if param.required then return true end
  end
  return false
end

-- A check that needs no values and reads at most the weights.
local function runs_alone(check)
  return tier.rank(check.needs) <= tier.rank("weights") and not has_required(check)
end

local function run_check(check, subject, where)
  local ctx = Context.new { subject = subject, where = where,
    params = schema.check(check.params or {}, {}, check.name) }
  for _, part in ipairs(tier.parts(check)) do
    local ok, err = pcall(part.run, ctx)
    if not ok and not Context.is_skip(err) then error(err, 0) end
  end
  return ctx
end

--- Runs all checks that need no values.
---@param subject table
---@return table<string, qspec.Context> contexts by name
---@return string[] names in order
---@return integer findings of all of them
function M.checks(subject)
  local contexts, names, findings = {}, {}, 0
  for _, check in ipairs(registry("checks").all()) do
    if runs_alone(check) then
      contexts[check.name] = run_check(check, subject, subject.path)
      names[#names + 1] = check.name
      findings = findings + #contexts[check.name].findings
    end
  end
  return contexts, names, findings
end

local function names_of(rows)
  local names = {}
  for i, row in ipairs(rows) do names[i] = row.name end
  return names
end

-- Groups of rows for which `key` gives the same text; rows without a key are the others of all.
local function grouped(rows, key)
  local groups, by_key = {}, {}
  for _, row in ipairs(rows) do
    local text = key(row)
    if text and not by_key[text] then
      by_key[text] = { rows = {}, first = row }
      groups[#groups + 1] = by_key[text]
    end
    if text then table.insert(by_key[text].rows, row) end
  end
  return groups
end

local function with_patterns(groups, rows)
  for _, group in ipairs(groups) do
    local inside, others = {}, {}
    for _, row in ipairs(group.rows) do inside[row] = true end
    for _, row in ipairs(rows) do
      if not inside[row] then others[#others + 1] = row.name end
    end
    local patterns = name_patterns.cover(names_of(group.rows), others)
    group.patterns = #patterns <= MOST_PATTERNS and patterns or nil
  end
  return groups
end

local function weight_dtype(row)
  return row.parameters.weight and row.parameters.weight.dtype
end

--- The packed modules by class, storage and what the bytes stand for; of a model in full precision
--- its linears.
---@param subject table
---@return table[] groups {rows, patterns?, class, dtype?, logical?, packed}
function M.converted(subject)
  local rows, packed = subject.census.modules, subject:is_packed()
  local groups = grouped(rows, function(row)
    local is_meant = row.layout or not packed and row.kind == "linear" and not row.tied_to
    return is_meant and table.concat({ row.class, tostring(weight_dtype(row)),
      tostring(row.logical_dtype) }, " ") or nil
  end)
  for _, group in ipairs(groups) do
    group.class, group.dtype = group.first.class, weight_dtype(group.first)
    group.logical, group.packed = group.first.logical_dtype, packed
  end
  return with_patterns(groups, rows)
end

-- The one dtype of all parameters of a module; "" when they differ, nil when it has none.
local function dtype_of(row)
  local dtype
  for _, parameter in pairs(row.parameters) do
    if dtype and parameter.dtype ~= dtype then return "" end
    dtype = parameter.dtype
  end
  return dtype
end

--- The modules of a packed model that are in full precision, by dtype.
---@param subject table
---@return table[] groups {rows, patterns?, dtype?}
function M.kept(subject)
  if not subject:is_packed() then return {} end
  local rows = subject.census.modules
  local groups = grouped(rows, function(row)
    local owner = row.tied_to and subject.census.by_name[row.tied_to] or row
    return not owner.layout and dtype_of(row) or nil
  end)
  for _, group in ipairs(groups) do
    local dtype = dtype_of(group.first)
    group.dtype = dtype ~= "" and dtype or nil
  end
  return with_patterns(groups, rows)
end

return M
