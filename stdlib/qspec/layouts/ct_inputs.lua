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

-- Whether inputs of these arguments are rounded here.
local function is_run(args)
  if not codes_of(args) or not EXTENTS[args.strategy] then return false end
  if args.dynamic == false then return args.strategy == "tensor" end
  return scales_of(args) ~= "e4m3" or args.dynamic == "local"
end

--- The rounding as host.model takes it.
---@param w qspec.StoredWeight
---@return table|nil input nil when the input is multiplied as it is
function M.of(w)
  local args = w.scheme.inputs
  if not args or not is_run(args) then return nil end
  local input = { codes = codes_of(args), per = EXTENTS[args.strategy], scales = scales_of(args),
    bits = args.bits, symmetric = args.symmetric, group_size = args.group_size }
  if args.dynamic == false then
    input.scale = w:read("input_scale")
    input.zero_point = not args.symmetric and w:read("input_zero_point") or nil
  elseif input.scales == "e4m3" then
    input.global_scale = w:read("input_global_scale"):reshape(1)
  end
  return input
end

local function described(args, what)
  return ("their %s are not rounded (%s of %s bits, strategy %s, %s scales)"):format(what,
    tostring(args.type), tostring(args.bits), tostring(args.strategy),
    args.dynamic == false and "stored" or "dynamic")
end

--- A layout's `omits`.
---@param w qspec.StoredWeight
---@return string[]
function M.omits(w)
  local list, inputs, outputs = {}, w.scheme.inputs, w.scheme.outputs
  if inputs and not is_run(inputs) then list[1] = described(inputs, "inputs") end
  if outputs then list[#list + 1] = described(outputs, "outputs") end
  return list
end

return M
