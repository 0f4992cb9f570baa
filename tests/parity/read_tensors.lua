-- qspec lua read_tensors.lua WORK_JSON: opens each checkpoint of work.paths and prints, for
-- pickle_parity.py, the tensors with the hashes of their bytes, or why it was refused.
local checkpoint = require "host.checkpoint"
local json = require "host.json"
local system = require "host.system"

local function tensors_of(path)
  local opened = checkpoint.open(path)
  local rows = {}
  for i, entry in ipairs(opened:tensors()) do
    rows[i] = { name = entry.name, dtype = entry.torch_dtype, shape = json.array(entry.shape),
      sha256 = system.sha256(opened:bytes(entry.name)) }
  end
  return json.array(rows)
end

local answers = {}
for i, path in ipairs(json.read((...)).paths) do
  local is_read, result = pcall(tensors_of, path)
  answers[i] = is_read and { tensors = result }
    or { kind = result.kind, message = result.message, where = result.where }
end
system.stdout(json.encode(json.array(answers)))
