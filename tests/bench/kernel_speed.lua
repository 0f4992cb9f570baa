-- Seconds of each kernel on one matrix, as JSON: qspec lua kernel_speed.lua ROWS COLUMNS TIMES

local json = require "host.json"
local system = require "host.system"
local tensor = require "host.tensor"

local NF4 = { -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
  -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534,
  0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434,
  0.5626170039176941, 0.7229568362236023, 1.0 }
local BLOCK = 64

local rows, columns, times = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])

local function midpoints(codebook)
  local thresholds = {}
  for i = 1, #codebook - 1 do thresholds[i] = (codebook[i] + codebook[i + 1]) / 2 end
  return thresholds
end

-- The best of several, after one that is not counted: the first touches the memory.
local function seconds_of(f)
  f():release()
  local best = math.huge
  for _ = 1, times do
    local began = system.clock()
    local result = f()
    best = math.min(best, system.clock() - began)
    if type(result) == "userdata" then result:release() end
  end
  return best
end

local count = rows * columns
local weight = ((tensor.arange(0, count - 1, "float32") * 0.6180339887) % 1 - 0.5):to("float16")
  :reshape(rows, columns)
local rule = { thresholds = midpoints(NF4), block_size = BLOCK }
local quantized = tensor.quantize_codebook4(weight, rule)
local packed = tensor.codebook4 { codes = quantized.packed, codebook = tensor.from(NF4),
  absmax = quantized.absmax, block_size = BLOCK, shape = { rows, columns } }

local function discard(f)
  return function()
    f()
    return tensor.from(0)
  end
end

system.stdout(json.encode {
  quantize = seconds_of(discard(function() tensor.quantize_codebook4(weight, rule) end)),
  dequantize = seconds_of(function() return packed:decode("float16") end),
  statistics = seconds_of(discard(function() weight:stats() end)),
  compare = seconds_of(discard(function() packed:compare(weight) end)),
} .. "\n")
