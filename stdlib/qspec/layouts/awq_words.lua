-- AWQ's three ways to lay codes into words: gemm, gemv and gemv_fast.
--
-- Source: GPTQModel 7.7, quantization/awq/utils/packing_utils.py (pack_awq, pack_awq_columns),
-- nn_modules/qlinear/gemv_awq.py and gemv_fast_awq.py (pack_intweight), utils/gemv.py.
--
-- gemm       [in, out * bits / 32] along the output features; of 4 bits nibble k of a word holds
--            output feature 8 * word + ORDER[k], other widths are plain streams.
-- gemv       [out, in / 8] along the input features, lowest nibble first.
-- gemv_fast  int16 [out / 4, in]: four rows side by side in blocks of 64 input features, those in
--            chunks of 32 whose features (a, b, d) of 4 x 4 x 2 lie in the order (b, d, a).

local M = {}

local ORDER = { 0, 2, 4, 6, 1, 3, 5, 7 }
local ROWS, STRIDE = 4, 64

local function tensor()
  return require("host.tensor")
end

--- The fields of gemm's words: zero points, or the codes of other widths than 4.
---@param words any Tensor int32 [rows, words]
---@return any Tensor uint8 [rows, columns]
function M.columns(words, bits, columns)
  if bits ~= 4 then return tensor().unpack_stream(words, bits, columns) end
  return tensor().unpack_fields(words, 4, ORDER):narrow(2, 1, columns)
end

--- The same by column: fields are transposed before they are unpacked, which is quicker.
---@return any Tensor uint8 [columns, rows]
function M.rows(words, bits, columns)
  if bits ~= 4 then return tensor().transpose_words(M.columns(words, bits, columns)) end
  local streams = tensor().transpose_fields(words, 4, ORDER)
  return tensor().unpack_stream(streams, 4, words:shape()[1]):narrow(1, 1, columns)
end

local PLACES = { 1, 5, 2, 6, 3, 7, 4, 8 }  -- where ORDER puts each feature of a word, from 1

--- gemm's words of codes [out, in].
---@return any Tensor int32 [in, words]
function M.gemm_words(codes, bits)
  local rows = codes:t():contiguous()
  if bits == 4 then
    local shape = rows:shape()
    rows = rows:reshape(shape[1], shape[2] / 8, 8):index_select(3, PLACES):reshape(shape)
  end
  return tensor().pack_stream(rows:contiguous(), bits):view("int32")
end

--- gemm's codes as rows of streams.
function M.gemm(words, bits, out_features)
  if bits == 4 then
    return tensor().transpose_fields(words, 4, ORDER):narrow(1, 1, out_features):contiguous()
  end
  local codes = M.columns(words, bits, out_features):t():contiguous()
  return tensor().pack_stream(codes, bits)
end

--- gemv_fast's codes as rows of streams.
function M.gemv_fast(words, out_features, in_features)
  local fields = tensor().unpack_fields(words, 4)
  local rows = fields:reshape(out_features / ROWS, in_features / STRIDE, ROWS, STRIDE)
    :transpose(2, 3):contiguous()
  local chunks = rows:reshape(-1, 4, 2, 4):transpose(2, 4):transpose(3, 4):contiguous()
  return tensor().pack_stream(chunks:reshape(out_features, in_features), 4)
end

local MULTIPLES = { [64] = 2, [32] = 4, [16] = 8 }

--- How many words of zero points gemv and gemv_fast keep a row: more than there are groups, nil
--- for group sizes that they do not know.
---@return integer|nil
function M.zero_words(in_features, group_size)
  local multiple = group_size >= 128 and 1 or MULTIPLES[group_size]
  if not multiple then return nil end
  local words = math.ceil(math.floor(in_features / group_size) / 8)
  return math.ceil(words / multiple) * multiple
end

M.ORDER, M.ROWS, M.STRIDE = ORDER, ROWS, STRIDE

return M
