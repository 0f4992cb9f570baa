-- The scaling of rotary positions. Llama 3's is in the file as a tensor of one factor a frequency:
-- the config that gives these factors is found again, and held against all of them.
--
-- Source: llama.cpp, convert_hf_to_gguf.py (LlamaModel.generate_extra_tensors).

local outcome = require "qspec.outcome"
local printable = require "qspec.printable"

local M = {}

local TENSOR = "rope_freqs.weight"
local MOST_BYTES = 2 ^ 16

-- What every Llama 3 has.
local LOW, HIGH, ORIGINAL = 1, 4, 8192

local function refuse(message, where)
  error(outcome.error("unsupported", message, nil, where), 0)
end

-- A little-endian fp32 number, finite.
local function float_at(bytes, first)
  local a, b, c, d = bytes:byte(first, first + 3)
  local exponent = d % 128 * 2 + math.floor(c / 128)
  local fraction = (c % 128 * 256 + b) * 256 + a
  local value = exponent == 0 and fraction * 2 ^ -149
    or (2 ^ 23 + fraction) * 2 ^ (exponent - 150)
  return d < 128 and value or -value
end

local function expected(position, count, base, factor)
  local wavelength = 2 * math.pi * base ^ (position / count)
  if wavelength < ORIGINAL / HIGH then return 1 end
  if wavelength > ORIGINAL / LOW then return factor end
  local smooth = (ORIGINAL / wavelength - LOW) / (HIGH - LOW)
  return 1 / ((1 - smooth) / factor + smooth)
end

local function of_tensor(checkpoint, base, where)
  local entry = checkpoint:find(TENSOR)
  if entry.dtype ~= "F32" or #entry.shape ~= 1 or entry.bytes > MOST_BYTES then
    refuse(TENSOR .. " is no list of F32", where)
  end
  local bytes, factors, largest = checkpoint:bytes(TENSOR), {}, 0
  for i = 1, entry.shape[1] do
    factors[i] = float_at(bytes, 4 * i - 3)
    largest = math.max(largest, factors[i])
  end
  for i, factor in ipairs(factors) do
    local wanted = expected(i - 1, #factors, base, largest)
    if not (math.abs(factor - wanted) <= 1e-4 * wanted) then
      refuse(("%s has %g at position %d, Llama 3's way gives %g"):format(TENSOR, factor, i - 1,
        wanted), where)
    end
  end
  return { rope_type = "llama3", factor = largest, low_freq_factor = LOW, high_freq_factor = HIGH,
    original_max_position_embeddings = ORIGINAL }
end

--- rope_scaling of the config, nil when positions are not scaled.
---@param checkpoint any host.checkpoint
---@param m fun(key: string): any metadata of the architecture
---@param where string
function M.scaling(checkpoint, m, where)
  if checkpoint:find "rope_factors_long.weight" then
    refuse("rope_factors_long.weight is not read from GGUF files", where)
  end
  if checkpoint:find(TENSOR) then
    return of_tensor(checkpoint, m("rope.freq_base") or 10000, where)
  end
  local kind = m("rope.scaling.type")
  if kind == nil or kind == "none" then return nil end
  if kind == "linear" then
    return { rope_type = "linear", factor = m("rope.scaling.factor") }
  end
  refuse(("rope.scaling.type '%s' is not read from GGUF files"):format(
    printable.line(tostring(kind))), where)
end

return M
