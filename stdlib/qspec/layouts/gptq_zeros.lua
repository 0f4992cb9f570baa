-- Zero points of GPTQ: a few bits each, in 32-bit words along the output features.
--
-- Source: GPTQModel 7.7, utils/model.py convert_gptq_v1_to_v2_format_module; auto-round 0.16,
-- auto_round_extension/torch/qlinear_torch_zp.py. The first version of the format stores each zero
-- point less one. Adding the one back is where the two libraries differ:
--
-- "v1"         GPTQModel adds a word of ones, so that a field of 2^bits - 1 becomes 0 and carries
--              into the next one: the inverse of the subtraction with which it writes. 3 bits,
--              which straddle words, are added field by field, without a carry.
-- "auto-round" each field plus one, with no wrap: 2^bits - 1 stands for 2^bits.
-- "v2"         as they are.

local M = {}

local ONES = { [2] = 0x55555555, [4] = 0x11111111, [8] = 0x01010101 }

-- Version "v1" of 3 bits aside, each field plus one of its own.
local function counted(stored, bits, version)
  if version == "v1" and not ONES[bits] then
    return stored:to("int32"):add(1):band(2 ^ bits - 1)
  end
  return version == "auto-round" and stored:to("int32"):add(1) or stored
end

local function carried(words, bits, version)
  return version == "v1" and ONES[bits] and words:add(ONES[bits]) or words
end

--- The zero points that the words stand for.
---@param words any Tensor int32 [groups, ceil(out * bits / 32)]
---@param bits integer
---@param columns integer output features
---@param version string "v1", "v2" or "auto-round"
---@return any Tensor [groups, out] of whole numbers
function M.read(words, bits, columns, version)
  local stored = require("host.tensor").unpack_stream(carried(words, bits, version), bits, columns)
  return counted(stored, bits, version)
end

--- The same by output feature. Fields that fill words are transposed before they are unpacked,
--- which is quicker.
---@return any Tensor [out, groups]
function M.rows(words, bits, columns, version)
  local tensor = require "host.tensor"
  if not ONES[bits] then return tensor.transpose_words(M.read(words, bits, columns, version)) end
  local rows = tensor.transpose_fields(carried(words, bits, version), bits)
  local stored = tensor.unpack_stream(rows, bits, words:shape()[1])
  return counted(stored:narrow(1, 1, columns), bits, version)
end

--- The two versions in which every zero point might be the middle of the codes.
M.OTHER = { v1 = "v2", v2 = "v1", ["auto-round"] = "v2" }

return M
