-- qspec lua ggml.lua FILE.gguf OUT: decodes every tensor of a GGUF file to fp32, one file each for
-- gguf_parity.py, named by the tensor's position. With a third argument it prints the metadata.

local checkpoint = require "host.checkpoint"
local json = require "host.json"
local system = require "host.system"
local tensor = require "host.tensor"

local MOST_BYTES = 2 ^ 30

local file = checkpoint.open(arg[1])

local function decoded(entry)
  if entry.torch_dtype ~= entry.dtype:lower() then
    return tensor.read(file, entry.name):to("float32")
  end
  local blocks = tensor.read_bytes(file, entry.name)
  return tensor.ggml({ blocks = blocks, type = entry.dtype, shape = entry.shape }):decode("float32")
end

local names = {}
for i, entry in ipairs(file:tensors()) do
  local overlay = file:overlay()
  tensor.store(overlay, "decoded", decoded(entry))
  names[i] = { name = entry.name, dtype = entry.dtype, shape = json.array(entry.shape) }
  system.write_atomic(("%s/%04d.raw"):format(arg[2], i), overlay:bytes("decoded", MOST_BYTES))
end
local metadata = {}
for i, key in ipairs(file:metadata_keys()) do
  local value, kind = file:metadata(key)
  metadata[i] = { key = key, type = kind,
    value = type(value) == "table" and json.array(value) or value }
end
system.write_atomic(arg[2] .. "/index.json",
  json.encode { tensors = json.array(names), metadata = json.array(metadata) })
