-- The code of each element that a layout decodes nearest to a value: rounding to nearest,
-- whatever the layout, found by decoding every code once.

local StoredWeight = require "qspec.stored_weight"

local M = {}

local function tensor()
  return require "host.tensor"
end

--- What a weight decodes to, in float32.
---@param weight qspec.StoredWeight
function M.decoded(weight)
  local layout = weight.layout
  local packed = layout.pack and layout.pack(weight) or layout.decode(weight)
  return packed.decode and packed:decode() or packed:to("float32")
end

--- The nearest code of each element.
---@param values any qspec.Tensor float32 [out, in]
---@param bits integer
---@param plane fun(code: integer): any what every element decodes to under one code
---@return any codes uint8 [out, in]
function M.search(values, bits, plane)
  local shape = values:shape()
  local best = tensor().zeros(shape, "float32") + math.huge
  local codes = tensor().zeros(shape, "float32")
  for code = 0, 2 ^ bits - 1 do
    local distance = (plane(code) - values):abs()
    local nearer = distance:lt(best)  -- never of a NaN
    local old_best, old_codes = best, codes
    best, codes = nearer:where(distance, best), nearer:where(code, codes)
    for _, done in ipairs { distance, nearer, old_best, old_codes } do done:release() end
  end
  return codes:to("uint8")
end

-- The weight of a row with other codes.
local function with_codes(row, overlay, codes)
  local weight, holding = row.weight, { tensors = {}, list = row.holding.list }
  for suffix, entry in pairs(row.holding.tensors) do holding.tensors[suffix] = entry end
  for suffix, entry in pairs(row.holding.tensors) do
    if entry == row.codes then
      tensor().store(overlay, entry.name, row.layout.recode(weight, codes))
      holding.tensors[suffix] = overlay:find(entry.name)
    end
  end
  return StoredWeight.new { layout = row.layout, module = row.module, holding = holding,
    checkpoint = overlay, request = row.request }
end

--- The nearest codes under the scales that a row has.
---@param row table of the census, packed
---@param values any qspec.Tensor float32 [out, in]
---@return any codes uint8 [out, in]
function M.of_row(row, values)
  local overlay = row.weight.checkpoint:overlay()
  local zeros = tensor().zeros(values:shape(), "float32")
  return M.search(values, row.weight.scheme.bits, function(code)
    return M.decoded(with_codes(row, overlay, (zeros + code):to("uint8")))
  end)
end

return M
