-- Weights that a quantizer rescaled, held against their baseline by what compensates the factors.
--
-- AWQ multiplies input features of a weight by factors and divides what comes before by the same
-- (Lin et al. 2023, section 3.2): a norm, or the rows of the weight before. So the factors of the
-- columns are known: the norm's own change, or the inverse of the rows' of another weight. What no
-- other tensor of the layer explains is a fault, not a factor.

local weights = require "qspec.weights"

local M = {}

local Layer = {}
Layer.__index = Layer

-- The factor along `dim` that brings a weight nearest to its reference, by least squares.
local function fit(weight, reference, dim)
  return weight:mul(reference):sum(dim):div(weight:mul(weight):sum(dim):maximum(1e-30))
end

local function layer_of(name)
  return name:match("^(.-%.%d+)%.")
end

--- The layer of a row, with the weights of its modules when they are first asked for.
---@param subject table
---@param row table
---@param reference_of fun(row: table): any|nil the baseline's weight
function M.layer(subject, row, reference_of)
  local prefix = layer_of(row.name)
  local layer = setmetatable({ subject = subject, reference_of = reference_of, rows = {},
    norms = {}, known = {} }, Layer)
  for _, other in ipairs(prefix and subject.census.modules or {}) do
    if layer_of(other.name) == prefix then
      local list = other.kind == "norm" and layer.norms or other.layout and layer.rows
      if list and other.status == "ok" then list[#list + 1] = other end
    end
  end
  return layer
end

-- Decoded weight and reference of a row, in float32.
function Layer:pair(row)
  local known = self.known[row]
  if not known then
    local reference = self.reference_of(row)
    known = reference and { weight = weights.read(row, self.subject.checkpoint),
      reference = reference:to("float32") } or {}
    self.known[row] = known
  end
  return known.weight, known.reference
end

-- What a norm was multiplied by.
function Layer:factors_of(norm)
  local before, entry = self.reference_of(norm), norm.holding.tensors.weight
  if not before or not entry then return nil end
  local now = require("host.tensor").read(self.subject.checkpoint, entry.name):to("float32")
  return now:div(before:to("float32"))
end

-- Those of all norms of the layer: factors of the columns of what follows them.
function Layer:norm_factors(width)
  local list = {}
  for _, norm in ipairs(self.norms) do
    local factors = self:factors_of(norm)
    if factors and factors:numel() == width then list[#list + 1] = factors end
  end
  return list
end

--- Whether some weight of the layer takes the factors of a norm back.
function Layer:explains(norm)
  local factors = self:factors_of(norm)
  for _, row in ipairs(factors and self.rows or {}) do
    local weight, reference = self:pair(row)
    if reference and weight:shape()[2] == factors:numel() then
      local rescaled = weight:mul(factors):compare(reference).sqnr_db
      if rescaled > weight:compare(reference).sqnr_db then return true end
    end
  end
  return false
end

local function best(candidates, weight, reference)
  local result, chosen
  for _, candidate in ipairs(candidates) do
    local compared = weight:mul(candidate):compare(reference)
    if not result or compared.sqnr_db > result.sqnr_db then
      result, chosen = compared, candidate
    end
  end
  return result, chosen
end

-- Factors of the columns of a row: none, those of a norm, or the inverse of another weight's rows.
function Layer:column_candidates(row, weight)
  local tensor, width = require "host.tensor", weight:shape()[2]
  local list = self:norm_factors(width)
  list[#list + 1] = tensor.zeros({ width }) + 1
  for _, other in ipairs(self.rows) do
    local before, reference = self:pair(other)
    if other ~= row and reference and before:shape()[1] == width then
      for _, norm in ipairs(self:norm_factors(before:shape()[2])) do
        list[#list + 1] = fit(before:mul(norm), reference, 2):pow(-1)
      end
    end
  end
  return list
end

-- Factors of its rows: none, or the inverse of the columns of another weight.
function Layer:row_candidates(row, weight)
  local tensor, height = require "host.tensor", weight:shape()[1]
  local list = { tensor.zeros({ height, 1 }) + 1 }
  for _, other in ipairs(self.rows) do
    local after, reference = self:pair(other)
    if other ~= row and reference and after:shape()[2] == height then
      list[#list + 1] = fit(after, reference, 1):pow(-1):reshape(height, 1)
    end
  end
  return list
end

--- How far a row lies from its baseline when only explained factors are taken away.
---@return table comparison as qspec.Tensor:compare gives
function Layer:compare(row)
  local weight, reference = self:pair(row)
  local result
  for _, rows in ipairs(self:row_candidates(row, weight)) do
    local compared = best(self:column_candidates(row, weight), weight:mul(rows), reference)
    if not result or compared.sqnr_db > result.sqnr_db then result = compared end
  end
  return result
end

return M
