-- What a baseline would lose to rounding to nearest, by the quantizer of the format itself.
--
-- A library that only rounds leaves no room for doubt: a weight that lies farther from its baseline
-- than rounding takes it was rounded twice, scaled, or made from another weight.

local StoredWeight = require "qspec.stored_weight"

local M = {}

local SCRATCH = "rounded"

local function holding_of(overlay)
  local holding, prefix = { tensors = {}, list = {} }, SCRATCH .. "."
  for _, entry in ipairs(overlay:tensors()) do
    if entry.name:sub(1, #prefix) == prefix then
      local suffix = entry.name:sub(#prefix + 1)
      holding.tensors[suffix] = entry
      holding.list[#holding.list + 1] = suffix
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
    holding = holding_of(overlay), checkpoint = overlay, request = row.request }
  local result = row.layout.pack(weight):compare(reference)
  overlay:release()  -- with the reference
  return result
end

return M
