-- Comparing weights that were rescaled before they were quantized.
--
-- AWQ multiplies input features of a weight by factors and divides what comes before by the same: a
-- norm, or the rows of another weight. The model computes the same, but no tensor equals the
-- baseline's. What is compared is the weight after the factors of its columns and of its rows that
-- fit the baseline best, found in turns by least squares.

local M = {}

local ROUNDS = 4

-- The factor along `dim` that brings `weight` nearest to `reference`; 1 where there is nothing.
local function factors(weight, reference, dim)
  local power = weight:mul(weight):sum(dim)
  local fit = weight:mul(reference):sum(dim):div(power:maximum(1e-30))
  return power:eq(0):where(1, fit)
end

--- How far a rescaled weight lies from its reference.
---@param weight any Tensor float32 [out, in]
---@param reference any Tensor [out, in]
---@return table comparison as qspec.Tensor:compare gives
function M.compare(weight, reference)
  local wanted = reference:to("float32")
  local columns, rows = weight:shape()[2], weight:shape()[1]
  for _ = 1, ROUNDS do
    weight = weight:mul(factors(weight, wanted, 1):reshape(1, columns))
    weight = weight:mul(factors(weight, wanted, 2):reshape(rows, 1))
  end
  return weight:compare(wanted)
end

return M
