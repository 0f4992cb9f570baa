-- Experts that a file stores apart and transformers holds in one tensor: [E, out, in], each expert
-- the rows of its parts one below the other.

local shapes = require "qspec.shapes"

local M = {}

--- The tensors that modules are put together from.
---@param modules table[]
---@return table<string, table> module by the name of a part
function M.owners(modules)
  local owners = {}
  for _, module in ipairs(modules) do
    for _, expert in ipairs(module.parts or {}) do
      for _, name in ipairs(expert) do owners[name] = module end
    end
  end
  return owners
end

-- The first part of an expert that is not there, or is not like that of the first expert.
local function odd_part(module, found)
  for _, expert in ipairs(module.parts) do
    for i, name in ipairs(expert) do
      local like, entry = found[module.parts[1][i]], found[name]
      if not entry then return name end
      if entry.dtype ~= like.dtype or not shapes.equal(entry.shape, like.shape)
          or #entry.shape ~= 2 or entry.shape[2] ~= found[expert[1]].shape[2] then
        return name, entry
      end
    end
  end
end

--- One entry for all parts of a module.
---@param module table
---@param found table<string, table> entries by the names of parts
---@return table|nil entry as of a checkpoint, with `parts` instead of a place in the file
---@return string|nil missing the part that is not there
function M.join(module, found)
  local missing, odd = odd_part(module, found)
  if odd then return odd end
  if missing then return nil, missing end
  local parts, rows, bytes = {}, 0, 0
  for e, expert in ipairs(module.parts) do
    parts[e] = {}
    for i, name in ipairs(expert) do
      parts[e][i], bytes = found[name], bytes + found[name].bytes
    end
  end
  for _, part in ipairs(parts[1]) do rows = rows + part.shape[1] end
  local first = parts[1][1]
  return { name = module.name, dtype = first.dtype, torch_dtype = first.torch_dtype,
    shape = { #parts, rows, first.shape[2] }, bytes = bytes, parts = parts }
end

--- The values of an entry, put together when it has parts.
---@param checkpoint any
---@param entry table
---@return any tensor qspec.Tensor
function M.read(checkpoint, entry)
  local tensor = require "host.tensor"
  if not entry.parts then
    local stored = tensor.read(checkpoint, entry.name)
    return entry.restore and entry.restore(stored) or stored
  end
  local experts = {}
  for e, expert in ipairs(entry.parts) do
    local rows = {}
    for i, part in ipairs(expert) do rows[i] = tensor.read(checkpoint, part.name) end
    experts[e] = #rows > 1 and tensor.cat(rows, 1) or rows[1]
  end
  return tensor.cat(experts, 1):reshape(unpack(entry.shape))
end

return M
