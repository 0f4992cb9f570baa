-- What a baseline would lose to rounding to nearest, by the quantizer of the format itself.
--
-- A library that only rounds leaves no room for doubt: a weight that lies farther from its baseline
-- than rounding takes it was rounded twice, scaled, or made from another weight.

local StoredWeight = require "qspec.stored_weight"

local M = {}

local SCRATCH = "rounded"

-- The tensors that the quantizer put, by what the layout calls them: to list all those of the
-- checkpoint for each weight would take longer than to round it.
local function holding_of(overlay, row)
  local holding = { tensors = {}, list = {} }
  for _, tensor in ipairs(row.layout.tensors(row.weight.scheme, row.module)) do
    local entry = overlay:find(SCRATCH .. "." .. tensor.suffix)
    if entry then
      holding.tensors[tensor.suffix] = entry
      holding.list[#holding.list + 1] = tensor.suffix
    end
  end
  return holding
end

--- How far the baseline's own rounding lies from it.
---@param row table of the census, packed by a format that has a `quantizer`
---@param quantizer table {quantize, options_of}
---@param checkpoint any any checkpoint; it is not changed
---@param reference any qspec.Tensor [out, in]
---@return table comparison as qspec.Tensor:compare gives
function M.compare(row, quantizer, checkpoint, reference)
  local overlay, name = checkpoint:overlay(), SCRATCH .. ".weight"
  require("host.tensor").store(overlay, name, reference)
  quantizer.quantize(overlay, overlay:find(name), quantizer.options_of(row.weight.scheme))
  local weight = StoredWeight.new { layout = row.layout, module = row.module,
    holding = holding_of(overlay, row), checkpoint = overlay, request = row.request }
  local result = row.layout.pack(weight):compare(reference)
  overlay:release()  -- with the reference
  return result
end

return M
