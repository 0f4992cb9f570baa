-- M12: codes lie in another order than the one in which they are read.

local codes = require "qspec.mutation.codes"

local EDITS = {}

local function bits_of(row) return row.weight.scheme.bits end

-- Fields of 4 bits of every 32-bit word, as AWQ's kernels take them.
local AWQ = { 1, 3, 5, 7, 2, 4, 6, 8 }

local function is_words(row) return bits_of(row) == 4 and row.codes.dtype == "I32" end

EDITS["AWQ's order in every word"] = { fits = is_words, bytes = function(bytes)
  local tensor = require "host.tensor"
  local fields = tensor.unpack_fields(bytes:reshape(-1, 4), 4)
  return tensor.pack_stream(fields:index_select(2, AWQ):contiguous(), 4):flatten()
end }

-- Of each block of n codes, 0, n/2, 1, n/2 + 1 ... for 0, 1, 2 ...
local function interleaved(count)
  local order = {}
  for i = 1, count / 2 do order[2 * i - 1], order[2 * i] = i, i + count / 2 end
  return order
end

local SPLIT = 32  -- codes of a block of ggml's

EDITS["split halves for pairs"] = { fits = function(row)
  return codes.has_matrix(row) and row.weight.shape[2] % SPLIT == 0
end, matrix = function(matrix)
  local shape = matrix:shape()
  return matrix:reshape(-1, SPLIT):index_select(2, interleaved(SPLIT)):reshape(shape)
end }

-- floor(32 / bits) codes in each 32-bit word, the rest of it empty; what does not fit is lost.
EDITS["whole codes in every word"] = { fits = function(row)
  return codes.has_matrix(row) and 32 % bits_of(row) ~= 0 and row.weight.shape[2] % 32 == 0
end, matrix = function(matrix, row)
  local tensor, bits = require "host.tensor", bits_of(row)
  local columns = matrix:shape()[2]
  local words = columns * bits / 32
  local fields = math.floor(32 / bits)
  local read = tensor.unpack_fields(tensor.pack_stream(matrix, bits):view("int32"), bits)
  local lost = columns - words * fields
  return tensor.cat({ read, tensor.zeros({ matrix:shape()[1], lost }, "uint8") }, 2)
end }

local ORDER = { "AWQ's order in every word", "split halves for pairs", "whole codes in every word" }

local function fits_any(row)
  for _, name in ipairs(ORDER) do
    if EDITS[name].fits(row) then return true end
  end
  return false
end

local function first_fitting(subject, edit)
  for _, row in ipairs(subject.census.modules) do
    if row.layout and row.status == "ok" and edit.fits(row) then return true end
  end
end

return {
  id = "M12",
  name = "pack_order",
  summary = "codes lie in another order than the format's",
  details = [[
The eight codes of a 32-bit word in AWQ's order where it is linear, and the other way round; blocks
of 32 as two halves where they are pairs; 3, 5 and 6 bits with whole codes in every word where they
are one stream. No header and no config knows.]],
  applies = codes.applies(fits_any, "has codes whose order can be changed"),
  doses = { "module", "layer", "all" },
  variants = function(subject)
    local variants = {}
    for _, name in ipairs(ORDER) do
      if first_fitting(subject, EDITS[name]) then
        variants[#variants + 1] = { name = name, edit = EDITS[name] }
      end
    end
    return variants
  end,
  mutate = function(mutant, dose, variant)
    local edit = variant.edit
    if edit.bytes then return codes.edit_bytes(mutant, dose, edit.fits, edit.bytes) end
    return codes.edit_matrix(mutant, dose, edit.fits, edit.matrix)
  end,
}
