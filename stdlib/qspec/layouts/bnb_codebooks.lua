-- The two 4-bit codebooks of bitsandbytes and the rules that choose a code.
--
-- Source: QLoRA (Dettmers et al. 2023), appendix E, for NF4; bitsandbytes 0.50.2, functional.py
-- get_4bit_type and csrc/kernels.cu (dQuantizeNF4, dQuantizeFP4) for values and thresholds.

local M = {}

M.nf4 = {
  values = {
    -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
    -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
    0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
    0.7229568362236023, 1,
  },
  -- The code is the number of thresholds strictly below x; a tie goes down.
  rule = {
    thresholds = {
      -0.8480964004993439, -0.6106329262256622, -0.4599952697753906, -0.33967943489551544,
      -0.23460740596055984, -0.13791173323988914, -0.045525018125772476, 0.03979014977812767,
      0.1202552504837513, 0.2035212516784668, 0.2920137718319893, 0.3893125355243683,
      0.5016634166240692, 0.6427869200706482, 0.8614784181118011,
    },
  },
}

-- Magnitudes in twelfths, as bitsandbytes writes them; bit 3 of a code is the sign.
local function fp4_values()
  local values = {}
  for code, twelfths in ipairs { 0, 0.0625, 8, 12, 4, 6, 2, 3 } do
    values[code] = twelfths / 12
    values[code + 8] = -twelfths / 12
  end
  values[9] = 0
  return values
end

M.fp4 = {
  values = fp4_values(),
  -- Codes by the number of thresholds that |x| strictly exceeds; the sign bit is set when x < 0.
  rule = {
    magnitude = true,
    thresholds = { 0.00260417, 0.0859375, 0.20833333, 0.29166667, 0.4166667, 0.583333, 0.8333333 },
    codes = { 0, 1, 6, 7, 4, 5, 2, 3 },
  },
}

return M
