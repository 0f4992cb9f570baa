-- SpQR's storage: 3-bit tiles of 16 x 16 with second-order statistics, and sparse outliers.
--
-- Source: spqr_quant 0.2, inference.py (QuantizedLinear): 64 bits a row of a tile; the second-order
-- scales lie across the rows of a tile, in an order that only its CUDA kernels know.

local M = {
  name = "spqr",
  summary = "3-bit tiles of 16 x 16 with statistics quantized again, and sparse outliers",
  class = "QuantizedLinear",
  undecodable = "the second-order scales of a tile are spread over its rows for CUDA kernels",
}

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  local t = holding.tensors
  return t.dense_weights ~= nil or t.col_vals ~= nil or t.row_offsets ~= nil
end

--- How the weight is stored; sizes of the sparse part stand in the config only.
function M.scheme(w)
  local asked = w.request and w.request.scheme or {}
  return { bits = 3, type = "spqr", shape = w.shape, sizes = asked.sizes or {},
    entries = w.tensors }
end

local PARTS = { { "row_offsets", "I32" }, { "col_vals", "I32" }, { "in_perm", "I32" } }

local function size_of(scheme, name)
  local size = (scheme.sizes or {})[name]
  if type(size) == "number" then return { size } end
  local entry = scheme.entries and scheme.entries[name]
  return entry and entry.shape or { 0 }
end

--- The tensors of the weight, all of them parameters.
function M.tensors(scheme, module)
  local shape = scheme.shape or module.shape
  local tiles = math.ceil(shape[1] / 16) * math.ceil(shape[2] / 16)
  local list = { { suffix = "dense_weights", dtype = "I64", shape = { 16 * tiles }, codes = true } }
  for _, part in ipairs(PARTS) do
    list[#list + 1] = { suffix = part[1], dtype = part[2], shape = size_of(scheme, part[1]) }
  end
  return list
end

return M
