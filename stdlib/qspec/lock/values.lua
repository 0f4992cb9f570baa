-- What a module stands for, as one hash: the decoded values of its weight and all else it holds.
-- Two ways to store the same values have the same hash.

local expert_parts = require "qspec.expert_parts"
local json = require "host.json"
local system = require "host.system"
local weights = require "qspec.weights"

local M = {}

local FLOATS = { F16 = true, BF16 = true, F32 = true, F64 = true }

-- float32 values; -0 is 0.
local function hash_of(tensor)
  local wide = tensor:to("float32"):add(0)
  local digits = wide:sha256()
  wide:release()
  return digits
end

local function hash_of_entry(checkpoint, entry)
  if FLOATS[entry.dtype] then return hash_of(expert_parts.read(checkpoint, entry)) end
  return expert_parts.read(checkpoint, entry):sha256()
end

-- A packed weight that notes which of its tensors are read.
local function watched(weight)
  local used = {}
  local proxy = setmetatable({}, { __index = function(self, key)
    if key ~= "scheme" then return weight[key] end
    local scheme = weight.layout.scheme(self)
    rawset(self, "scheme", scheme)
    return scheme
  end })
  function proxy.read(_, suffix)
    used[suffix] = true
    return weight:read(suffix)
  end
  function proxy.bytes(_, suffix)
    used[suffix] = true
    return weight:bytes(suffix)
  end
  return proxy, used
end

-- The weight decoded, and the tensors that took part: the others (biases, scales of activations)
-- mean something of their own.
local function packed_hash(row)
  weights.refuse_broken(row)
  local proxy, used = watched(row.weight)
  local packed = (row.layout.pack or row.layout.decode)(proxy)
  for suffix, entry in pairs(row.holding.tensors) do
    if entry == row.codes then used[suffix] = true end  -- some layouts read its bytes themselves
  end
  return hash_of(packed.decode and packed:decode("float32") or packed), used
end

local function lines_of(row, checkpoint)
  local lines, used = {}, {}
  if row.layout then
    lines[1], used = packed_hash(row)
  elseif row.holding.tensors.weight then
    lines[1], used = hash_of(weights.read(row, checkpoint)), { weight = true }
  end
  for _, suffix in ipairs(row.holding.list) do
    if not used[suffix] then
      lines[#lines + 1] = suffix .. " " .. hash_of_entry(checkpoint, row.holding.tensors[suffix])
    end
  end
  return lines
end

local function reason_of(err)
  return type(err) == "table" and err.message or tostring(err)
end

--- The hash of a module's values.
---@param row table of the census
---@param checkpoint any
---@return string|nil digits nil for a module that stores nothing, or whose values cannot be read
---@return string|nil reason
function M.of(row, checkpoint)
  if #row.holding.list == 0 then return nil end
  local undecodable = row.layout and weights.undecodable(row)
  if undecodable then return nil, undecodable end
  local ok, lines = pcall(lines_of, row, checkpoint)
  if not ok then return nil, reason_of(lines) end
  table.sort(lines)
  return system.sha256(table.concat(lines, "\n"))
end

--- A JSON text by what it says: neither blanks nor the order of keys count.
---@return string|nil digits nil when it is not JSON
function M.of_json(text, name)
  local ok, value, kinds = pcall(json.decode, text, name)
  return ok and system.sha256(json.encode(value, { sort = true, kinds = kinds })) or nil
end

return M
