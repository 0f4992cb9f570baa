-- How many bytes a model takes, counted the two ways that matter.
--
-- `transformers` is model.get_memory_footprint() of transformers 5.17: bytes of all parameters and
-- buffers, shared ones once. What a library keeps as a plain attribute (bitsandbytes' absmax,
-- codebooks and states) is not in it. `stored` is everything the files hold.

local shapes = require "qspec.shapes"

local M = {}

local BYTES = {
  float64 = 8, float32 = 4, float16 = 2, bfloat16 = 2, float8_e4m3fn = 1, float8_e5m2 = 1,
  float8_e8m0fnu = 1, int64 = 8, int32 = 4, int16 = 2, int8 = 1, uint8 = 1, uint16 = 2,
  uint32 = 4, bool = 1,
}

-- Blocks of ggml are so many bytes an element, in powers of two below one.
for _, kind in pairs(require "qspec.ggml_types") do
  BYTES[kind.name:lower()] = kind.bytes / kind.elements
end

local function is_kept_in_fp32(architecture, module_name, dtype)
  local name = module_name .. ".weight"
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

--- Bytes of a tensor of this shape and torch dtype.
function M.bytes(shape, dtype)
  return shapes.count(shape) * BYTES[dtype]
end

--- Bytes of a stored tensor once it is loaded as `dtype`.
function M.loaded_bytes(entry, dtype)
  if dtype == entry.torch_dtype then return entry.bytes end
  return M.bytes(entry.shape, dtype)
end

local TORCH = {
  F64 = "float64", F32 = "float32", F16 = "float16", BF16 = "bfloat16", F8_E4M3 = "float8_e4m3fn",
  F8_E5M2 = "float8_e5m2", F8_E8M0 = "float8_e8m0fnu", I64 = "int64", I32 = "int32", I16 = "int16",
  I8 = "int8", U8 = "uint8", U16 = "uint16", U32 = "uint32", BOOL = "bool",
}

for _, kind in pairs(require "qspec.ggml_types") do TORCH[kind.name] = kind.name:lower() end

-- The first dtype that a tensor of a layout may have is the one that its library writes.
local function written_dtype(tensor)
  local stored = type(tensor.dtype) == "table" and tensor.dtype[1] or tensor.dtype
  return tensor.loaded or TORCH[stored]
end

-- Of a weight converted as the request says; `held` takes the names of what is in it.
local function converted_bytes(module, request, dtype, held)
  local total = 0
  for _, tensor in ipairs(request.layout.tensors(request.scheme, module, dtype)) do
    held[tensor.suffix] = true
    local is_stored_bias = tensor.suffix ~= "bias" or module.bias
    if (tensor.role or "parameter") ~= "attribute" and is_stored_bias
        and not (tensor.optional and not tensor.usual) then
      total = total + M.bytes(tensor.shape, written_dtype(tensor))
    end
  end
  return total
end

local function module_bytes(architecture, module, dtype, request, held_dtype)
  local held, total = {}, 0
  if request then
    held.weight = true
    total = converted_bytes(module, request, dtype, held)
  end
  for _, parameter in ipairs(module.parameters) do
    if not held[parameter.name] then
      total = total + M.bytes(parameter.shape,
        held_dtype or M.dense_dtype(architecture, module.name, dtype))
    end
  end
  for _, buffer in ipairs(module.buffers or {}) do
    total = total + M.bytes(buffer.shape, buffer.dtype)
  end
  return total
end

--- Footprint from the architecture alone, no weights needed.
---@param architecture table
---@param modules table[] from builder.modules
---@param dtype string load dtype
---@param converted fun(module: table): table|nil the request for a converted module, or nil
---@param dtype_of (fun(module: table): string|nil)|nil as qspec.Requests has it
---@return integer bytes
function M.of_config(architecture, modules, dtype, converted, dtype_of)
  local total = 0
  for _, module in ipairs(modules) do
    if not module.tied_to then
      total = total + module_bytes(architecture, module, dtype, converted(module),
        dtype_of and dtype_of(module))
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
    local counts = not row.tied_to or row.own_tensors and not row.is_shared
    if counts then total = total + row.footprint end
  end
  return total
end

--- What must be said beside the footprint: some libraries report sizes that are not those in
--- memory (a layout's `footprint_note`).
---@param census table
---@return string|nil note of the first layout that has one
function M.note(census)
  for _, row in ipairs(census.modules) do
    if row.layout and row.layout.footprint_note then return row.layout.footprint_note end
  end
end

return M
