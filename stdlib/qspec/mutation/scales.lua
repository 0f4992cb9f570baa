-- Scales of packed weights, changed by value: as a matrix of float32, whatever they are stored in.

local parts = require "qspec.mutation.parts"
local shapes = require "qspec.shapes"
local small_floats = require "qspec.layouts.small_floats"

local M = {}

-- Exponent bytes and fp8 are made by LibTorch's own casts.
local function as_stored(values, entry)
  if entry.torch_dtype == "uint8" then return values:to("float8_e8m0fnu"):view("uint8") end
  return values:to(entry.torch_dtype)
end

-- Rows and columns of the scales over a weight of so many output features. Blocks that are stored
-- in one row are as many a feature as divide them.
local function grid_of(entry, out_features)
  local shape, count = entry.shape, shapes.count(entry.shape)
  if #shape == 2 then return shape[1], shape[2], shape[1] ~= out_features end
  if count % out_features == 0 then return out_features, count / out_features, false end
  return 1, count, false
end

---@class qspec.ScaleGrid
---@field values any qspec.Tensor float32 [rows, columns]
---@field transposed boolean whether a column, not a row, belongs to an output feature
---@field entry table

--- The scales of a packed row; nil when they are not numbers by themselves.
---@return qspec.ScaleGrid|nil
function M.read(mutant, row)
  local entry = parts.of(row).scales
  if not entry then return nil end
  local stored = require("host.tensor").read(mutant.genuine.checkpoint, entry.name)
  local rows, columns, transposed = grid_of(entry, row.weight.shape[1])
  return { values = small_floats.scales(stored):reshape(rows, columns), transposed = transposed,
    entry = entry }
end

--- Stores changed values in the place of the old ones, in the same dtype and shape.
function M.write(mutant, grid, values)
  local entry = grid.entry
  mutant:store(entry.name, as_stored(values, entry):reshape(entry.shape):contiguous())
end

-- Where a dose reaches: one scale, those of one output feature, or all.
local function reach(mutant, dose, values, transposed)
  local tensor = require "host.tensor"
  local shape = values:shape()
  local count = shape[1] * shape[2]
  if dose ~= "block" and dose ~= "group" then return nil end
  local place = mutant.random:below(count) - 1
  local index = tensor.arange(0, count - 1)
  if dose == "block" then return index:eq(place):reshape(shape) end
  local column = place % shape[2]
  if transposed then return index:mod(shape[2]):eq(column):reshape(shape) end
  local first = place - column
  return index:ge(first):logical_and(index:lt(first + shape[2])):reshape(shape)
end

--- Changes as many scales as a dose says.
---@param mutant qspec.Mutant
---@param dose string
---@param change fun(values: any, row: table): any the new values, of the same shape
---@return boolean changed false when there is nothing to change, or no more than by a smaller dose
function M.edit(mutant, dose, change)
  local changed = false
  for _, row in ipairs(mutant:doses(dose, parts.with(mutant:packed(), "scales"))) do
    local grid = M.read(mutant, row)
    local shape = grid.values:shape()
    local per_feature = grid.transposed and shape[1] or shape[2]
    if dose == "group" and per_feature == 1 then return false end
    local new = change(grid.values, row)
    local mask = new and reach(mutant, dose, grid.values, grid.transposed)
    if new then
      M.write(mutant, grid, mask and mask:where(new, grid.values) or new)
      changed = true
    end
  end
  return changed
end

--- Whether any packed weight has scales.
M.applies = parts.applies("scales", "scales of its own")

M.DOSES = { "block", "group", "module", "layer", "all" }

return M
