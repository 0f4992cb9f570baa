-- qspec lua ggml_speed.lua: how fast blocks of ggml are decoded, a matrix of 4096 x 11008 to
-- bfloat16 and float32, in bytes read and written; the best of many runs.

local ggml_types = require "qspec.ggml_types"
local system = require "host.system"
local tensor = require "host.tensor"

local ROWS, COLUMNS, RUNS = 4096, 11008, 15
local BYTES = { bfloat16 = 2, float32 = 4 }

local function best_seconds(weight, dtype)
  local best = math.huge
  for _ = 1, RUNS do
    local start = system.clock()
    local decoded = weight:decode(dtype)
    best = math.min(best, system.clock() - start)
    decoded:release()
  end
  return best
end

local names = {}
for name in pairs(ggml_types) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do
  local kind = ggml_types[name]
  local bytes = ROWS * COLUMNS / kind.elements * kind.bytes
  local weight = tensor.ggml { blocks = tensor.zeros({ bytes }, "uint8"), type = name,
    shape = { ROWS, COLUMNS } }
  local line = ("%-8s"):format(name)
  for _, dtype in ipairs { "bfloat16", "float32" } do
    local seconds = best_seconds(weight, dtype)
    line = line .. ("  %s %6.2f GB/s"):format(dtype,
      (bytes + ROWS * COLUMNS * BYTES[dtype]) / seconds / 1e9)
  end
  system.stdout(line .. "\n")
end
