-- Codes of packed weights, changed: as bytes of the file, or as a matrix [out, in] where the layout
-- has `codes` and `recode`.

local parts = require "qspec.mutation.parts"
local shapes = require "qspec.shapes"

local M = {}

M.DOSES = { "block", "group", "module", "layer", "all" }

--- Whether the codes of a row can be read as a matrix.
function M.has_matrix(row)
  return row.layout.codes ~= nil and row.weight.scheme.bits <= 8
    and row.layout.codes(row.weight) ~= nil
end

--- An operator's `applies`: some row for which `wanted` holds.
function M.applies(wanted, words)
  return function(subject)
    for _, row in ipairs(parts.with(subject.census.modules, "codes")) do
      if wanted(row) then return true end
    end
    return nil, "no packed weight " .. words
  end
end

local function rows_where(mutant, wanted)
  local rows = {}
  for _, row in ipairs(parts.with(mutant:packed(), "codes")) do
    if wanted(row) then rows[#rows + 1] = row end
  end
  return rows
end

-- How many of `count` stored units one scale covers, and one output feature.
local function extent(row, dose, count)
  local scales = parts.of(row).scales
  local many = scales and shapes.count(scales.shape) or 1
  local features = row.weight.shape[1]
  if dose == "block" then return math.max(1, math.floor(count / math.max(many, features))) end
  if dose == "group" then return math.max(1, math.floor(count / features)) end
  return count
end

-- A stretch of a flat tensor, wherever a dose falls.
local function stretch(mutant, row, dose, count)
  local length = extent(row, dose, count)
  return (mutant.random:below(math.max(1, math.floor(count / length))) - 1) * length + 1, length
end

-- Everything but a stretch as it was.
local function replaced(flat, first, length, new)
  local count, pieces = flat:numel(), {}
  if first > 1 then pieces[1] = flat:narrow(1, 1, first - 1) end
  pieces[#pieces + 1] = new
  local after = first + length
  if after <= count then pieces[#pieces + 1] = flat:narrow(1, after, count - after + 1) end
  return require("host.tensor").cat(pieces)
end

--- Changes stored bytes of codes: `change` maps uint8 [n] to uint8 [n].
---@return boolean changed
function M.edit_bytes(mutant, dose, wanted, change)
  local tensor, rows = require "host.tensor", rows_where(mutant, wanted)
  for _, row in ipairs(mutant:doses(dose, rows)) do
    local entry = parts.of(row).codes
    local bytes = tensor.read_bytes(mutant.genuine.checkpoint, entry.name)
    local first, length = stretch(mutant, row, dose, bytes:numel())
    local new = replaced(bytes, first, length, change(bytes:narrow(1, first, length), row))
    mutant:store(entry.name, new:view(entry.torch_dtype):reshape(entry.shape))
  end
  return #rows > 0
end

--- Changes the codes of whole modules: `change` maps uint8 [out, in] to the same; nil leaves it.
---@return boolean changed
function M.edit_matrix(mutant, dose, wanted, change)
  local changed = false
  local function usable(row) return M.has_matrix(row) and wanted(row) end
  for _, row in ipairs(mutant:doses(dose, rows_where(mutant, usable))) do
    local new = change(row.layout.codes(row.weight), row)
    if new then
      mutant:store(parts.of(row).codes.name, row.layout.recode(row.weight, new:contiguous()))
      changed = true
    end
  end
  return changed
end

--- x XOR mask for bytes.
function M.xor(bytes, mask)
  local wide = bytes:to("int32")
  return (wide + mask - wide:band(mask) * 2):to("uint8")
end

function M.any() return true end

return M
