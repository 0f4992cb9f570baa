-- Blocks of ggml, changed part by part: float16 scales by value, all else as bytes.

local fields = require "qspec.layouts.ggml_fields"
local ggml_types = require "qspec.ggml_types"

local M = {}

--- The rows whose weights are blocks with such a part.
---@param rows table[]
---@param part string of layouts/ggml_fields.lua
function M.with(rows, part)
  local list = {}
  for _, row in ipairs(rows) do
    local known = row.layout and row.layout.name == "ggml" and row.codes
      and fields[row.codes.dtype]
    if known and known[part] then list[#list + 1] = row end
  end
  return list
end

--- An operator's `applies`.
function M.applies(subject)
  if #M.with(subject.census.modules, "scale") > 0 then return true end
  return nil, "no packed weight is in blocks of ggml"
end

-- How many blocks a dose takes, of so many in so many rows.
local function extent(dose, blocks, features)
  if dose == "block" then return 1 end
  if dose == "group" then return math.max(1, math.floor(blocks / features)) end
  return blocks
end

local function place_of(row, part)
  local place = fields[row.codes.dtype][part]
  if type(place) == "table" then return place[1], place[2] end
  return place, 2
end

-- Columns of a matrix of bytes, replaced.
local function with_columns(bytes, first, new)
  local width, pieces = bytes:shape()[2], {}
  local after = first + new:shape()[2]
  if first > 0 then pieces[1] = bytes:narrow(2, 1, first) end
  pieces[#pieces + 1] = new
  if after < width then pieces[#pieces + 1] = bytes:narrow(2, after + 1, width - after) end
  return require("host.tensor").cat(pieces, 2)
end

local function with_rows(bytes, first, new)
  local count, pieces = bytes:shape()[1], {}
  local last = first + new:shape()[1] - 1
  if first > 1 then pieces[1] = bytes:narrow(1, 1, first - 1) end
  pieces[#pieces + 1] = new
  if last < count then pieces[#pieces + 1] = bytes:narrow(1, last + 1, count - last) end
  return require("host.tensor").cat(pieces, 1)
end

local function changed_blocks(mutant, row, dose, part, change)
  local size = ggml_types[row.codes.dtype].bytes
  local entry = mutant.genuine.checkpoint:find(row.codes.name)
  local bytes = require("host.tensor").read_bytes(mutant.genuine.checkpoint, entry.name)
    :reshape(entry.bytes / size, size)
  local blocks = bytes:shape()[1]
  local count = extent(dose, blocks, row.weight.shape[1])
  local first = (mutant.random:below(math.max(1, math.floor(blocks / count))) - 1) * count + 1
  local taken = bytes:narrow(1, first, count)
  local column, width = place_of(row, part)
  local new = change(taken:narrow(2, column + 1, width):contiguous(), row)
  return entry, with_rows(bytes, first, with_columns(taken, column, new)):contiguous()
end

--- Changes a part of the blocks that a dose takes.
---@param mutant qspec.Mutant
---@param dose string
---@param part string
---@param change fun(bytes: any, row: table): any uint8 [blocks, width] to the same
---@return boolean changed
function M.edit(mutant, dose, part, change)
  local rows = M.with(mutant:packed(), part)
  for _, row in ipairs(mutant:doses(dose, rows)) do
    local entry, bytes = changed_blocks(mutant, row, dose, part, change)
    mutant:put_bytes(entry, bytes)
  end
  return #rows > 0
end

--- A change of float16 values from one of float32 values.
---@param change fun(values: any): any float32 [blocks, 1] to the same
function M.of_float16(change)
  return function(bytes)
    return change(bytes:view("float16"):to("float32")):to("float16"):view("uint8")
  end
end

return M
