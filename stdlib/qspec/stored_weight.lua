-- One packed weight: its module, its tensors and what the config asks of it. The functions of a
-- layout take it.

---@class qspec.StoredWeight
---@field module qspec.ModelModule
---@field shape integer[] of the weight that the tensors stand for: [out, in] or [experts, out, in]
---@field tensors table<string, table> entries of the checkpoint, by what follows the module's name
---@field list string[] those suffixes, in the order of the files
---@field checkpoint any host.checkpoint
---@field request table|nil what the config asks of this module
---@field scheme table how the weight is stored, as its layout reads it; computed when first asked
local Weight = {}

Weight.__index = function(self, key)
  if key ~= "scheme" then return Weight[key] end
  local scheme = self.layout.scheme(self)
  rawset(self, "scheme", scheme)
  return scheme
end

--- The shape [out, in] of what a module multiplies by; a Conv1D's parameter is the transpose.
function Weight.logical_shape(module)
  if not module.transposed then return module.shape end
  local shape = { unpack(module.shape) }
  shape[#shape - 1], shape[#shape] = shape[#shape], shape[#shape - 1]
  return shape
end

---@param o table {layout, module, holding, checkpoint, request?}
---@return qspec.StoredWeight
function Weight.new(o)
  return setmetatable({ layout = o.layout, module = o.module, tensors = o.holding.tensors,
    list = o.holding.list, checkpoint = o.checkpoint, request = o.request,
    shape = Weight.logical_shape(o.module) }, Weight)
end

--- The bytes of a small tensor as a string, nil when it is not there.
function Weight:bytes(suffix)
  local entry = self.tensors[suffix]
  return entry and self.checkpoint:bytes(entry.name)
end

--- A tensor, nil when it is not there.
---@return any|nil tensor qspec.Tensor of its stored dtype and shape
function Weight:read(suffix)
  local entry = self.tensors[suffix]
  return entry and require("host.tensor").read(self.checkpoint, entry.name)
end

return Weight
