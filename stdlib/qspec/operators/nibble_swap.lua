-- M11: the two codes of every byte are the wrong way round.

local codes = require "qspec.mutation.codes"

local function is_4_bit(row) return row.weight.scheme.bits == 4 end

return {
  id = "M11",
  name = "nibble_swap",
  summary = "the two 4-bit codes of every byte are exchanged",
  details = "x becomes ((x << 4) | (x >> 4)) & 0xFF in every byte of the codes.",
  applies = codes.applies(is_4_bit, "has 4-bit codes"),
  doses = codes.DOSES,
  mutate = function(mutant, dose)
    return codes.edit_bytes(mutant, dose, is_4_bit, function(bytes)
      local wide = bytes:to("int32")
      return wide:lshift(4):bor(wide:rshift(4)):band(0xff):to("uint8")
    end)
  end,
}
