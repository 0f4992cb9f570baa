-- Two checkpoints of one model, weight by weight: how far the values of one lie from the other's.
--
-- One pair of weights is in memory at a time. The metrics are those of engine/tensor/compare.h.

local shapes = require "qspec.shapes"
local weights = require "qspec.weights"
local StoredWeight = require "qspec.stored_weight"

local M = {}

local function stores_weight(row)
  return row.layout ~= nil or row.holding.tensors.weight ~= nil
end

-- A tied module without a tensor of its own is the other one's.
local function held(census, name)
  local row = census.by_name[name]
  if row and not stores_weight(row) and row.tied_to then row = census.by_name[row.tied_to] end
  return row and stores_weight(row) and row or nil
end

local function undecodable(row)
  if not row.layout then return nil end
  local reason = weights.undecodable(row)
  return reason and ("cannot decode %s: %s"):format(row.layout.name, reason)
end

-- Why two rows cannot be compared, or nil.
local function obstacle(row, other)
  local mine = StoredWeight.logical_shape(row.module)
  local theirs = StoredWeight.logical_shape(other.module)
  if not shapes.equal(mine, theirs) then
    return ("shape %s against %s"):format(shapes.text(theirs), shapes.text(mine))
  end
  return undecodable(row) or undecodable(other)
end

local function compare_rows(candidate, row, reference, other)
  local entry = { module = row.name, holds = row.logical_dtype,
    reference_holds = other.logical_dtype, packed = (row.layout or other.layout) ~= nil }
  entry.skipped = obstacle(row, other)
  if entry.skipped then return entry end
  local values = weights.read(other, reference.checkpoint)
  local result = weights.compare(row, candidate.checkpoint, values)
  for name, value in pairs(result) do entry[name] = value end
  entry.equal = result.sqnr_db == math.huge
  return entry
end

local function only_in(census, others)
  local names = {}
  for _, row in ipairs(census.modules) do
    if stores_weight(row) and not held(others, row.name) then names[#names + 1] = row.name end
  end
  return names
end

--- Which of two subjects is the reference: the one in full precision, the first when both or none
--- are.
---@return table reference, table candidate
function M.roles(first, second)
  if first:is_packed() and not second:is_packed() then return second, first end
  return first, second
end

---@class qspec.ModuleComparison
---@field module string
---@field holds string logical dtype of the candidate
---@field reference_holds string
---@field packed boolean whether either is
---@field skipped string|nil why it was not compared
---@field equal boolean no value differs
---@field sqnr_db number and cosine, nmse, max_abs_error, worst_index, worst_block,
---  worst_block_sqnr_db, count, nonfinite_decoded, nonfinite_baseline: see qspec.Tensor:compare

--- Compares two subjects module by module.
---@param reference table
---@param candidate table
---@param matches fun(name: string): boolean which modules
---@param progress fun(done: integer, total: integer, name: string)|nil
---@return table {modules: qspec.ModuleComparison[], only_candidate, only_reference: string[]}
function M.take(reference, candidate, matches, progress)
  local pairs_of_rows, modules = {}, {}
  for _, row in ipairs(candidate.census.modules) do
    local other = held(reference.census, row.name)
    if stores_weight(row) and other and matches(row.name) then
      pairs_of_rows[#pairs_of_rows + 1] = { row, other }
    end
  end
  for i, pair in ipairs(pairs_of_rows) do
    if progress then progress(i, #pairs_of_rows, pair[1].name) end
    modules[i] = compare_rows(candidate, pair[1], reference, pair[2])
  end
  return { modules = modules, only_candidate = only_in(candidate.census, reference.census),
    only_reference = only_in(reference.census, candidate.census) }
end

return M
