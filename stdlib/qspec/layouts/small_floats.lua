-- What the codes of the small float types stand for, and the dtypes in which their scales lie.
--
-- Source: OCP 8-bit Floating Point Specification 1.0 (E4M3 without infinities, NaN at 0x7F and
-- 0xFF) and OCP Microscaling Formats 1.0 (E2M1; E8M0 as exponent bytes).

local M = {}

--- The 16 values of E2M1: a sign, two bits of exponent, one of mantissa.
M.e2m1 = { 0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6 }

local function magnitude(code)
  local exponent, mantissa = math.floor(code / 8), code % 8
  if code == 0x7f then return 0 / 0 end
  if exponent == 0 then return mantissa * 2 ^ -9 end
  return (8 + mantissa) * 2 ^ (exponent - 10)
end

--- The 256 values of E4M3 ("fn").
M.e4m3 = {}
for code = 0, 127 do
  M.e4m3[code + 1], M.e4m3[code + 129] = magnitude(code), -magnitude(code)
end

--- Dtypes of scales that are exponents: 2^(byte - 127), NaN at 255.
M.exponents = { F8_E8M0 = true, U8 = true }

local made = {}

local function bytes()
  local list = {}
  for byte = 0, 255 do list[byte + 1] = byte end
  return require("host.tensor").from(list, "uint8")
end

--- What scales of one byte stand for, as host.tensor's `coded` takes it.
---@param scales qspec.Tensor
---@return qspec.Tensor|nil float32 [256]; nil for scales of other dtypes
function M.scale_values(scales)
  local dtype = scales:dtype()
  local is_exponent = dtype == "uint8" or dtype == "float8_e8m0fnu"
  if not is_exponent and dtype ~= "float8_e4m3fn" then return nil end
  local tensor = require "host.tensor"
  made[dtype] = made[dtype] or is_exponent and tensor.exponents(bytes())
    or tensor.from(M.e4m3, "float32")
  return made[dtype]
end

--- Scales as float32 numbers, whichever way they are stored.
---@param scales any qspec.Tensor
---@return any qspec.Tensor
function M.scales(scales)
  local dtype = scales:dtype()
  if dtype == "uint8" or dtype == "float8_e8m0fnu" then
    return require("host.tensor").exponents(scales)
  end
  return scales:to("float32")
end

return M
