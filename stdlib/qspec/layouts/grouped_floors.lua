-- The least SQNR of integers in groups against the weights that they were made of.
--
-- GPTQ lessens the error of what a layer computes and not that of its weights: trained weights lie
-- at 1.5 to 7 dB with 2 bits, 9 to 13 with 3, 15 to 21 with 4, 40 with 8. A zero point that is off
-- by one brings 4 bits to about 10 dB.

local M = {}

local FLOORS = { [2] = 1, [3] = 6, [4] = 12, [5] = 18, [6] = 24, [7] = 28, [8] = 30 }

---@param bits integer
---@return number dB
function M.least_sqnr_db(bits)
  return FLOORS[bits] or FLOORS[2]
end

return M
