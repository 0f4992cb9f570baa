-- The values of a row of the census, however they are stored.

local expert_parts = require "qspec.expert_parts"
local outcome = require "qspec.outcome"

local M = {}

--- Why the packed weight of a row cannot be decoded, or nil.
---@param row table
---@return string|nil reason
function M.undecodable(row)
  local reason = row.layout.undecodable
  if type(reason) == "function" then return reason(row.weight) end
  return reason
end

local function refuse_undecodable(row)
  local reason = M.undecodable(row)
  if not reason then return end
  error(outcome.error("unsupported", ("cannot decode '%s' (%s): %s"):format(row.name,
    row.layout.name, reason), nil, row.name), 0)
end

local function is_broken(row)
  return row.status == "broken" or row.status == "missing" or row.status == "mismatched"
end

--- Raises unless all that decoding the row takes is there.
function M.refuse_broken(row)
  if is_broken(row) then
    error(outcome.error("checkpoint", ("'%s' cannot be decoded: its tensors are %s"):format(
      row.name, row.status), "see the findings of layers and companions", row.name), 0)
  end
end

--- The packed weight of a row: a qspec.Packed, or a dense tensor where the layout makes that.
---@return any packed has decode, compare and shape
function M.packed(row)
  M.refuse_broken(row)
  refuse_undecodable(row)
  if row.layout.pack then return row.layout.pack(row.weight) end
  return row.layout.decode(row.weight)
end

-- What `packed` gives, as a tensor.
local function as_tensor(packed, dtype)
  if packed.decode then return packed:decode(dtype) end
  return packed:to(dtype)
end

--- The weight of a row as [out, in], decoded when it is packed.
---@param row table
---@param checkpoint any
---@param dtype string|nil of the result; nil keeps a dense weight's own and decodes to float32
---@return any|nil tensor qspec.Tensor, nil when the row stores none
function M.read(row, checkpoint, dtype)
  if row.layout then return as_tensor(M.packed(row), dtype or "float32") end
  local entry = row.holding.tensors.weight
  if not entry then return nil end
  local tensor = expert_parts.read(checkpoint, entry)
  if row.module.transposed then tensor = tensor:transpose(-2, -1):contiguous() end
  return dtype and tensor:dtype() ~= dtype and tensor:to(dtype) or tensor
end

--- Whether two rows of one checkpoint hold the same values in the same dtype.
function M.same(row, other, checkpoint)
  return M.read(row, checkpoint):equal(M.read(other, checkpoint))
end

--- How a row's values differ from a reference of the same shape.
---@param row table
---@param checkpoint any
---@param reference any qspec.Tensor [out, in]
---@return table comparison as qspec.Tensor:compare gives
function M.compare(row, checkpoint, reference)
  if row.layout and (row.layout.rescales or row.scheme.rescales) then
    return require("qspec.rescaled").compare(M.read(row, checkpoint), reference)
  end
  if row.layout then return M.packed(row):compare(reference) end
  return M.read(row, checkpoint):compare(reference)
end

return M
