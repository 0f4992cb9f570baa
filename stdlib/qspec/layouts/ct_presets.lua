-- Groups of a compressed-tensors config that are the name of a scheme: {"W4A16": ["Linear"]}.
--
-- Source: compressed-tensors 0.20, quantization/quant_scheme.py (PRESET_SCHEMES).

local M = {}

local function args(bits, kind, strategy, more)
  local list = { num_bits = bits, type = kind, symmetric = true, strategy = strategy }
  for key, value in pairs(more or {}) do list[key] = value end
  return list
end

local function mx(bits)
  return args(bits, "float", "group", { group_size = 32, scale_dtype = "torch.uint8" })
end

local function mx_inputs(bits)
  local list = mx(bits)
  list.dynamic = true
  return list
end

local function nvfp4(dynamic)
  return args(4, "float", "tensor_group", { group_size = 16, dynamic = dynamic,
    scale_dtype = "torch.float8_e4m3fn" })
end

local function by_token(bits, kind)
  return args(bits, kind, "token", { dynamic = true })
end

local function by_group(bits, more)
  local list = args(bits, "int", "group", more)
  list.group_size = 128
  return list
end

local BY_GROUP_OF_128 = args(8, "float", "group", { group_size = 128, dynamic = true })

local SPECIAL = {
  UNQUANTIZED = {},
  W4A16_ASYM = { weights = by_group(4, { symmetric = false }) },
  W8A8 = { weights = args(8, "int", "channel"), input_activations = by_token(8, "int") },
  W4AFP8 = { weights = by_group(4), input_activations = by_token(8, "float") },
  FP8 = { weights = args(8, "float", "tensor"), input_activations = args(8, "float", "tensor") },
  FP8_DYNAMIC = { weights = args(8, "float", "channel"),
    input_activations = by_token(8, "float") },
  FP8_BLOCK = { weights = args(8, "float", "block", { block_structure = { 128, 128 } }),
    input_activations = BY_GROUP_OF_128 },
  NVFP4A16 = { weights = nvfp4() },
  NVFP4 = { weights = nvfp4(), input_activations = nvfp4("local") },
  MXFP4A16 = { weights = mx(4) },
  MXFP4 = { weights = mx(4), input_activations = mx_inputs(4) },
  MXFP4XFP8 = { weights = mx(4), input_activations = BY_GROUP_OF_128 },
  MXFP6A16 = { weights = mx(6) },
  MXFP6A8 = { weights = mx(6), input_activations = mx_inputs(8) },
  MXFP8A16 = { weights = mx(8) },
  MXFP8 = { weights = mx(8), input_activations = mx_inputs(8) },
}
SPECIAL.INT8 = SPECIAL.W8A8

local INPUT_BITS = { A4 = { 2, 4 }, A8 = { 2, 7 }, A16 = { 2, 8 } }

--- The group that a name stands for.
---@param name string in any case
---@return table|nil group {weights?, input_activations?}; nil for a name that is none
function M.named(name)
  name = name:upper()
  if SPECIAL[name] then return SPECIAL[name] end
  local bits, inputs = name:match("^W(%d)(A%d+)$")
  local range = INPUT_BITS[inputs]
  bits = tonumber(bits)
  if not range or bits < range[1] or bits > range[2] then return nil end
  local input_bits = tonumber(inputs:sub(2))
  return { weights = by_group(bits),
    input_activations = input_bits < 16 and by_token(input_bits, "int") or nil }
end

return M
