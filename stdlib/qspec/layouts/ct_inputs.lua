-- How the input of a module of compressed-tensors is rounded before it is multiplied.
--
-- Source: compressed-tensors 0.20, quantization/lifecycle/forward.py (quantized_forward): weights
-- are decoded, and activations are rounded to codes and back, whatever runs them. Outputs, the KV
-- cache, inputs in e2m3 and asymmetric floats are left as they are here.

local M = {}

local EXTENTS = { token = "token", tensor = "tensor", group = "group", tensor_group = "group" }

local function codes_of(args)
  if args.type == "int" then return args.bits >= 2 and args.bits <= 8 and "int" or nil end
  if not args.symmetric then return nil end
  return args.bits == 8 and "e4m3" or args.bits == 4 and "e2m1" or nil
end

local function scales_of(args)
  if args.strategy == "tensor_group" then return "e4m3" end
  return args.type == "float" and args.group_size == 32 and args.scale_dtype == "uint8"
    and "exponents" or "plain"
end

--- The rounding as host.model takes it.
---@param w qspec.StoredWeight
---@return table|nil input nil when the input is multiplied as it is
function M.of(w)
  local args = w.scheme.inputs
  local codes, extent = args and codes_of(args), args and EXTENTS[args.strategy]
  if not codes or not extent then return nil end
  local input = { codes = codes, per = extent, scales = scales_of(args), bits = args.bits,
    symmetric = args.symmetric, group_size = args.group_size }
  if args.dynamic == false then
    if extent ~= "tensor" then return nil end
    input.scale = w:read("input_scale")
    input.zero_point = not args.symmetric and w:read("input_zero_point") or nil
  elseif input.scales == "e4m3" then
    if args.dynamic ~= "local" then return nil end
    input.global_scale = w:read("input_global_scale"):reshape(1)
  end
  return input
end

return M
