-- general.file_type: what a quantizer was asked for, as the type of most weights.
--
-- Source: llama.cpp, include/llama.h, enum llama_ftype. The mixes (S, M, L) store some tensors in
-- types of more bits, and a type whose blocks do not divide a row is replaced by a wider one.

local M = {}

local NAMES = {
  [2] = "Q4_0", [3] = "Q4_1", [7] = "Q8_0", [8] = "Q5_0", [9] = "Q5_1", [10] = "Q2_K",
  [11] = "Q3_K_S", [12] = "Q3_K_M", [13] = "Q3_K_L", [14] = "Q4_K_S", [15] = "Q4_K_M",
  [16] = "Q5_K_S", [17] = "Q5_K_M", [18] = "Q6_K", [19] = "IQ2_XXS", [20] = "IQ2_XS",
  [21] = "Q2_K_S", [22] = "IQ3_XS", [23] = "IQ3_XXS", [24] = "IQ1_S", [25] = "IQ4_NL",
  [26] = "IQ3_S", [27] = "IQ3_M", [28] = "IQ2_S", [29] = "IQ2_M", [30] = "IQ4_XS",
  [31] = "IQ1_M", [36] = "TQ1_0", [37] = "TQ2_0", [38] = "MXFP4_MOE", [39] = "NVFP4",
  [40] = "Q1_0",
}

-- The least type of a mix that is not called after it.
local LEAST = { IQ3_XS = "IQ3_XXS", IQ3_M = "IQ3_S", IQ2_S = "IQ2_XS", IQ2_M = "IQ2_S",
  MXFP4_MOE = "MXFP4" }

local PLAIN = { [0] = "F32", [1] = "F16", [32] = "BF16" }

--- The name of a file type, nil when there is none or it is a guess.
function M.name(number)
  return NAMES[number] or PLAIN[number]
end

--- The type of most weights: "Q4_K" of Q4_K_M; nil for a name that is none or of plain floats.
function M.type(name)
  local known = false
  for _, each in pairs(NAMES) do known = known or each == name end
  if not known then return nil end
  return LEAST[name] or (name:gsub("(Q%d_K)_[SML]$", "%1"))
end

--- All names of quantized file types.
function M.names()
  local names = {}
  for _, name in pairs(NAMES) do names[#names + 1] = name end
  table.sort(names)
  return names
end

return M
