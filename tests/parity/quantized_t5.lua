-- For quantized_t5_parity.py: for each folder named on the command line, which holds a T5 stored by
-- bitsandbytes, its dense original in `dense` beside prompt.json, writes qspec.json: ids of the
-- stored model and of the original quantized on load, tensors that differ between them, the classes
-- and dtypes of modules, facts and footprint.

local footprint = require "qspec.footprint"
local json = require "host.json"
local outcome = require "qspec.outcome"
local registry = require "qspec.registry"
local schema = require "qspec.schema"
local Subject = require "qspec.subject"
local system = require "host.system"
local tensor = require "host.tensor"

local NEW_TOKENS = 10

local function quantized_on_load(folder, prompt)
  local format = registry("formats").get("bitsandbytes")
  return Subject.new { name = folder, path = folder .. "/dense", quantize = { format = format,
    options = schema.check(format.quantizer.params, prompt.options, "bitsandbytes") } }
end

local function differing(stored, made)
  local names = {}
  for _, entry in ipairs(stored.checkpoint:tensors()) do
    local found = made.checkpoint:find(entry.name)
    local is_state = entry.name:find("quant_state", 1, true)
    local is_equal = found and (is_state or tensor.read(made.checkpoint, entry.name):to(
      entry.torch_dtype):equal(tensor.read(stored.checkpoint, entry.name)))
    if not is_equal then names[#names + 1] = entry.name end
  end
  return json.array(names)
end

local function modules_of(subject)
  local list = {}
  for _, row in ipairs(subject.census.modules) do
    if row.kind == "linear" then list[row.name] = { row.class, row.logical_dtype } end
  end
  return list
end

local function ids(subject, prompt)
  return subject.runtime:generate(prompt.source, { max_new_tokens = NEW_TOKENS,
    decoder_start_token_id = prompt.start }).ids
end

local function run(folder)
  local prompt = json.read(folder .. "/prompt.json")
  local stored = Subject.new { name = folder, path = folder }
  local made = quantized_on_load(folder, prompt)
  return { stored = ids(stored, prompt), made = ids(made, prompt),
    differing = differing(stored, made), modules = modules_of(stored),
    facts = #stored.census.facts + #made.census.facts,
    footprint = footprint.of_census(stored.census),
    footprint_made = footprint.of_census(made.census) }
end

for _, folder in ipairs { ... } do
  local ok, result = pcall(run, folder)
  if not ok then
    local err = outcome.from(result, "internal")
    result = { error = err.kind .. ": " .. err.message .. " " .. (err.hint or "") }
  end
  system.write_atomic(folder .. "/qspec.json", json.encode(result))
end
