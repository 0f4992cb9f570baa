-- Seconds that decoding the first packed weight of a checkpoint takes, as JSON:
-- qspec lua decode_speed.lua PATH DTYPE TIMES. PATH is a folder as tests/parity/decode.lua reads,
-- or a GGUF file whose tensor is "weight". The stored tensors are in memory, as they are for the
-- libraries; everything that is made of them is made anew each time.

local checkpoint = require "host.checkpoint"
local json = require "host.json"
local system = require "host.system"
local tensor = require "host.tensor"
local Subject = require "qspec.subject"
local weights = require "qspec.weights"

-- Reads each tensor once.
local function remember(reader)
  local read, seen = tensor[reader], {}
  tensor[reader] = function(file, name)
    seen[name] = seen[name] or read(file, name)
    return seen[name]
  end
end

remember "read"
remember "read_bytes"

local path, dtype, times = arg[1], arg[2], tonumber(arg[3])

local function described(entry)
  local kind = entry.kind or "linear"
  return { name = entry.name, class = entry.class or "Linear", kind = kind, shape = entry.shape,
    bias = false, parameters = { { name = "weight", shape = entry.shape } } }
end

local function decoder_of_blocks()
  local file = checkpoint.open(path)
  local entry = file:tensors()[1]
  return function()
    return tensor.ggml({ blocks = tensor.read_bytes(file, entry.name), type = entry.dtype,
      shape = entry.shape }):decode(dtype)
  end
end

local function decoder_of_folder()
  local subject, modules = Subject.new { name = path, path = path }, {}
  for i, entry in ipairs(json.read(path .. "/modules.json")) do modules[i] = described(entry) end
  subject.modules, subject.architecture = modules, { name = "made", tied = {} }
  for _, row in ipairs(subject.census.modules) do
    if row.layout then return function() return weights.read(row, subject.checkpoint, dtype) end end
  end
  error("no weight of this checkpoint is packed")
end

local decode = path:match("%.gguf$") and decoder_of_blocks() or decoder_of_folder()
local seconds = {}
for i = 0, times do
  local began = system.clock()
  local decoded = decode()
  if i > 0 then seconds[i] = system.clock() - began end
  decoded:release()
  collectgarbage()
end
system.stdout(json.encode(seconds) .. "\n")
