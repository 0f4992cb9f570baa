-- For architectures_parity.py: runs the model in each folder named on the command line on the token
-- ids in its prompt.json (`ids`, of a decoder the rows of `batch`, and of an encoder-decoder
-- `source` and `start`), and writes qspec.json beside them: logits, greedy ids, modules and
-- footprint. The batch obeys generation_config.json.

local footprint = require "qspec.footprint"
local json = require "host.json"
local outcome = require "qspec.outcome"
local Subject = require "qspec.subject"
local system = require "host.system"

local NEW_TOKENS = 10

local function modules_of(subject)
  local list = {}
  for i, row in ipairs(subject.census.modules) do
    local parameters, buffers = {}, {}
    for name, parameter in pairs(row.parameters) do
      parameters[name] = json.array(parameter.shape)
    end
    for name, buffer in pairs(row.buffers) do buffers[name] = json.array(buffer.shape) end
    list[i] = { name = row.name, class = row.class, kind = row.kind, status = row.status,
      parameters = parameters, buffers = buffers }
  end
  return list
end

local function facts_of(subject)
  local list = {}
  for i, fact in ipairs(subject.census.facts) do
    list[i] = ("%s %s %s: %s, wanted %s"):format(fact.kind, tostring(fact.module), fact.key or "",
      fact.found, fact.wanted)
  end
  return list
end

local function batch_of(subject, rows)
  if not rows then return {} end
  local options = { max_new_tokens = NEW_TOKENS }
  for key, value in pairs(subject.generation_config) do options[key] = value end
  local made = subject.runtime:generate(rows, options)
  for i, row in ipairs(made) do made[i] = row.ids end
  return made
end

local function run(folder)
  local subject = Subject.new { name = folder, path = folder }
  local prompt = json.read(folder .. "/prompt.json")
  local logits = subject.runtime:forward(prompt.ids, nil, prompt.source)
  logits = logits:to("float32"):select(1, 1)
  local made = subject.runtime:generate(prompt.source or prompt.ids,
    { max_new_tokens = NEW_TOKENS, decoder_start_token_id = prompt.start })
  return { logits = logits:tolist(1e6), ids = made.ids,
    batch = json.array(batch_of(subject, prompt.batch)), modules = modules_of(subject),
    facts = json.array(facts_of(subject)), footprint = footprint.of_census(subject.census),
    computed = footprint.of_config(subject.architecture, subject.modules, subject.dtype,
      function() return nil end) }
end

for _, folder in ipairs { ... } do
  local ok, result = pcall(run, folder)
  if not ok then
    local err = outcome.from(result, "internal")
    result = { error = err.kind .. ": " .. err.message .. " " .. (err.hint or "") }
  end
  system.write_atomic(folder .. "/qspec.json", json.encode(result))
end
