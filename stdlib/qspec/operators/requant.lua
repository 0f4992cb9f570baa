-- M23: weights were quantized twice, the second time over what the first had left.

local codes = require "qspec.mutation.codes"
local nearest_code = require "qspec.mutation.nearest_code"
local weights = require "qspec.weights"

local GROUP, STEPS = 32, 7

local function fits(row)
  return codes.has_matrix(row) and row.weight.shape[2] % GROUP == 0
end

-- Rows decoded, rounded to another grid, and put back as the nearest own codes.
local function onto(round)
  return function(mutant, dose)
    return codes.edit_matrix(mutant, dose, fits, function(_, row)
      return nearest_code.of_row(row, round(weights.read(row, mutant.genuine.checkpoint)))
    end)
  end
end

-- Symmetric integers of 4 bits in groups of 32: -7 to 7 steps of a seventh of the largest value.
local function to_int4(values)
  local shape = values:shape()
  local groups = values:reshape(-1, GROUP)
  local step = (groups:abs():max(2)):div(STEPS):maximum(1e-20):reshape(-1, 1)
  return groups:div(step):round():mul(step):reshape(shape)
end

return {
  id = "M23",
  name = "requant",
  summary = "weights were decoded, rounded to another grid and packed again",
  details = [[
dequantized, rounded to symmetric 4-bit integers in groups of 32, and stored as the nearest codes
under the old scales: quantized twice. (A merged adapter that is smaller than half a step leaves no
trace in the file at all: it takes the merged model as baseline to see it.)]],
  applies = codes.applies(fits, "has codes that can be packed again"),
  doses = { "module", "layer", "all" },
  mutate = onto(to_int4),
}
