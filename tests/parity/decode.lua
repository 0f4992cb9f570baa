-- qspec lua decode.lua FOLDER OUT [DTYPE]: decodes every packed weight of a checkpoint for the
-- parity scripts. OUT gets a file of little-endian values for each module, and index.json names
-- them: [{name, file, dtype, shape, layout, class}], or {name, error} where one does not decode.
--
-- FOLDER holds a model of an architecture that qspec knows; or, to have weights of any size, a
-- quantization_config alone as config.json and modules.json: [{name, shape, kind, class}].

local json = require "host.json"
local system = require "host.system"
local tensor = require "host.tensor"
local Subject = require "qspec.subject"
local weights = require "qspec.weights"

local MOST_BYTES = 2 ^ 30
local folder, out, dtype = arg[1], arg[2], arg[3] or "float32"

-- Modules as the decoder lists them.
local function described(entry)
  local kind = entry.kind or "linear"
  return { name = entry.name, class = entry.class or "Linear", kind = kind, shape = entry.shape,
    bias = false, parameters = { { name = "weight", shape = entry.shape } } }
end

local function subject_of(path)
  local subject = Subject.new { name = path, path = path }
  if not subject:has_file("modules.json") then return subject end
  local modules = {}
  for i, entry in ipairs(json.read(path .. "/modules.json")) do modules[i] = described(entry) end
  subject.modules, subject.architecture = modules, { name = "made", tied = {} }
  return subject
end

local function bytes_of(subject, value)
  local overlay = subject.checkpoint:overlay()
  tensor.store(overlay, "decoded", value)
  return overlay:bytes("decoded", MOST_BYTES)
end

local function decode(subject, row, file)
  local decoded = weights.read(row, subject.checkpoint, dtype)
  system.write_atomic(out .. "/" .. file, bytes_of(subject, decoded))
  return { name = row.name, file = file, dtype = decoded:dtype(),
    shape = json.array(decoded:shape()), layout = row.layout.name, class = row.class }
end

local subject = subject_of(folder)
local index = {}
for i, row in ipairs(subject.census.modules) do
  if row.layout then
    local is_decoded, result = pcall(decode, subject, row, ("%04d.raw"):format(i))
    index[#index + 1] = is_decoded and result or { name = row.name, error = tostring(result) }
  end
end
local facts = {}
for i, fact in ipairs(subject.census.facts) do
  facts[i] = { kind = fact.kind, module = fact.module, key = fact.key, found = fact.found,
    wanted = fact.wanted }
end
system.write_atomic(out .. "/index.json", json.encode(json.array(index)))
system.write_atomic(out .. "/facts.json", json.encode(json.array(facts)))
