-- How many bytes a model takes, counted the two ways that matter.
--
-- `transformers` is model.get_memory_footprint() of transformers 5.17: bytes of all parameters and
-- buffers, shared ones once. bitsandbytes keeps absmax, codebooks and states as plain attributes,
-- so they are not in it. `stored` is everything the files hold.

local M = {}

local BYTES = { float64 = 8, float32 = 4, float16 = 2, bfloat16 = 2 }

function M.count(shape)
  local count = 1
  for _, size in ipairs(shape) do count = count * size end
  return count
end

local function is_kept_in_fp32(architecture, name, dtype)
  for _, key in ipairs(dtype == "float16" and architecture.keep_in_fp32 or {}) do
    if name:find(key, 1, true) then return true end
  end
  for _, key in ipairs(architecture.keep_in_fp32_strict or {}) do
    if name:find(key, 1, true) then return true end
  end
  return false
end

--- The dtype in which transformers holds a dense parameter of this module.
function M.dense_dtype(architecture, module_name, dtype)
  if is_kept_in_fp32(architecture, module_name, dtype) then return "float32" end
  return dtype
end

local function parameter_bytes(architecture, module, parameter, dtype)
  return M.count(parameter.shape) * BYTES[M.dense_dtype(architecture, module.name, dtype)]
end

--- Footprint from the architecture alone, no weights needed.
---@param architecture table
---@param modules table[] from decoder.modules
---@param dtype string load dtype
---@param converted fun(module: table): table|nil the request for a converted module, or nil
---@param format table|nil
---@return integer bytes
function M.of_config(architecture, modules, dtype, converted, format)
  local total = 0
  for _, module in ipairs(modules) do
    if not module.tied_to then
      local request = converted(module)
      for _, parameter in ipairs(module.parameters) do
        if request and parameter.name == "weight" then
          total = total + format.weight_footprint(module, request)
        else
          total = total + parameter_bytes(architecture, module, parameter, dtype)
        end
      end
    end
  end
  return total
end

--- Footprint of a census: what transformers would report of this checkpoint.
---@param census table
---@return integer bytes
function M.of_census(census)
  local total = 0
  for _, row in ipairs(census.modules) do
    if not row.tied_to or row.own_tensors then total = total + row.footprint end
  end
  return total
end

return M
