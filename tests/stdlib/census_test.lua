-- The census: each way in which a checkpoint can contradict its config is one fact, with a name.

local checkpoint = require "host.checkpoint"
local json = require "host.json"
local system = require "host.system"
local Subject = require "qspec.subject"
local test = require "test"

local PACKED = system.home() .. "/examples/models/bloom-tiny-bnb-nf4"
local DENSE = system.home() .. "/examples/models/bloom-tiny"
local MOST_BYTES = 2 ^ 24

local LINEAR = "transformer.h.1.mlp.dense_4h_to_h"
local NORM = "transformer.h.1.input_layernorm"
local EMBEDDING = "transformer.word_embeddings"
local COMPANIONS = { ".absmax", ".quant_map", ".quant_state.bitsandbytes__nf4" }

-- The census of a changed copy. `config` replaces fields of config.json; json.null takes one away.
local function census_of(folder, change, config)
  local overlay = checkpoint.open(folder):overlay()
  if change then change(overlay) end
  local subject = Subject.new { name = "changed", path = folder }
  for key, value in pairs(config or {}) do
    if value == json.null then value = nil end
    subject.config_file.raw[key] = value
  end
  subject.stored = overlay
  return subject.census
end

local function facts_of(census)
  local facts = {}
  for i, fact in ipairs(census.facts) do
    facts[i] = ("%s %s %s: %s, wanted %s"):format(fact.kind, fact.module or "-", fact.key or "-",
      fact.found, fact.wanted)
  end
  return facts
end

-- What the example holds under another name; `from` names the folder that it is read from.
local function copied(overlay, from, name, target)
  local source = checkpoint.open(from)
  local entry = source:find(name)
  overlay:put(target or name, entry.dtype, entry.shape, source:bytes(name, MOST_BYTES))
end

local function make_dense(overlay, module)
  for _, suffix in ipairs(COMPANIONS) do overlay:drop(module .. ".weight" .. suffix) end
  copied(overlay, DENSE, module .. ".weight")
end

test("the examples contradict nothing", function()
  test.equal(facts_of(census_of(PACKED)), {})
  test.equal(facts_of(census_of(DENSE)), {})
end)

test("a linear that is dense without being excluded fell back", function()
  local census = census_of(PACKED, function(overlay) make_dense(overlay, LINEAR) end)
  test.equal(facts_of(census),
    { "fell_back " .. LINEAR .. " -: Linear float16, wanted Linear4bit nf4" })
  test.equal(census.by_name[LINEAR].status, "fell_back")
end)

test("a linear that is dense and excluded is as it should be", function()
  local quantization = json.read(PACKED .. "/config.json").quantization_config
  quantization.llm_int8_skip_modules = json.array { "lm_head", LINEAR }
  local census = census_of(PACKED, function(overlay) make_dense(overlay, LINEAR) end,
    { quantization_config = quantization })
  test.equal(facts_of(census), {})
  test.equal(census.by_name[LINEAR].reason, "excluded by '" .. LINEAR .. "' (config)")
end)

test("an exclusion that the tensors ignore is an unrequested conversion", function()
  local quantization = json.read(PACKED .. "/config.json").quantization_config
  quantization.llm_int8_skip_modules = json.array { "lm_head", LINEAR }
  local census = census_of(PACKED, nil, { quantization_config = quantization })
  test.equal(facts_of(census),
    { "unrequested " .. LINEAR .. " -: Linear4bit nf4, wanted Linear float16" })
  test.equal(census.by_name[LINEAR].status, "unrequested")
end)

test("a parameter that no tensor holds is missing", function()
  local census = census_of(PACKED, function(overlay) overlay:drop(NORM .. ".bias") end)
  test.equal(facts_of(census), { "missing " .. NORM .. " bias: missing, wanted [256]" })
  test.equal(census.by_name[NORM].status, "missing")
end)

test("a tensor of another shape than the config's is a mismatch", function()
  local census = census_of(PACKED, function(overlay)
    overlay:put(NORM .. ".bias", "F16", { 128 }, ("\0"):rep(256))
  end)
  test.equal(facts_of(census), { "shape " .. NORM .. " bias: F16 [128], wanted [256]" })
  test.equal(census.by_name[NORM].status, "mismatched")
end)

test("whole numbers where a float belongs are codes that lost their companions", function()
  local census = census_of(PACKED, function(overlay)
    overlay:put(NORM .. ".weight", "I8", { 256 }, ("\0"):rep(256))
  end)
  test.equal(facts_of(census),
    { "misread " .. NORM .. " weight: I8 [256], wanted a floating dtype" })
end)

test("a companion that is missing breaks its module", function()
  local census = census_of(PACKED, function(overlay) overlay:drop(LINEAR .. ".weight.absmax") end)
  test.equal(facts_of(census),
    { "companion " .. LINEAR .. " weight.absmax: missing, wanted F32 [4096]" })
  test.equal(census.by_name[LINEAR].status, "broken")
end)

test("a companion of another shape breaks its module", function()
  local census = census_of(PACKED, function(overlay)
    overlay:put(LINEAR .. ".weight.absmax", "F32", { 4 }, ("\0"):rep(16))
  end)
  test.equal(facts_of(census),
    { "companion " .. LINEAR .. " weight.absmax: F32 [4], wanted F32 [4096]" })
end)

test("a companion that the layout does not have is named", function()
  local census = census_of(PACKED, function(overlay)
    overlay:put(LINEAR .. ".SCB", "F32", { 2 }, ("\0"):rep(8))
  end)
  test.equal(facts_of(census), { "companion " .. LINEAR .. " SCB: F32 [2], wanted no such tensor" })
end)

test("a tensor that no module owns is an orphan of the model", function()
  local census = census_of(PACKED, function(overlay)
    overlay:put("transformer.h.9.mlp.weight", "F16", { 1 }, "\0\0")
  end)
  test.equal(facts_of(census),
    { "orphan - transformer.h.9.mlp.weight: F16 [1], wanted no such tensor" })
  test.equal(#census.orphans, 1)
end)

test("a tensor that its dense module has no use for is an orphan of the module", function()
  local census = census_of(PACKED, function(overlay)
    overlay:put(NORM .. ".scale", "F16", {}, "\0\0")
  end)
  test.equal(facts_of(census),
    { "orphan " .. NORM .. " scale: F16 [scalar], wanted no such tensor" })
end)

test("a tied head without tensors of its own shares those of the embedding", function()
  local census = census_of(DENSE, function(overlay) overlay:drop("lm_head.weight") end)
  local head = census.by_name.lm_head
  test.equal({ head.tied_to, head.own_tensors, head.stored, head.footprint },
    { EMBEDDING, nil, 0, 0 })
  test.equal(head.parameters.weight.shape, { 1472, 256 })
  test.equal(facts_of(census), {})
end)

test("a tied head with tensors of its own is counted by its own bytes", function()
  local census = census_of(DENSE, function(overlay)
    copied(overlay, DENSE, EMBEDDING .. ".weight", "lm_head.weight")
  end)
  local head = census.by_name.lm_head
  test.equal({ head.own_tensors, head.stored }, { true, 1472 * 256 * 2 })
  test.equal(facts_of(census), {})
end)

test("a head that is not tied and not there is missing", function()
  local census = census_of(DENSE, function(overlay) overlay:drop("lm_head.weight") end,
    { tie_word_embeddings = false })
  test.equal(facts_of(census), { "missing lm_head weight: missing, wanted [1472 x 256]" })
end)

test("a checkpoint of the base model is read without its prefix", function()
  local census = census_of(PACKED, function(overlay)
    for _, entry in ipairs(overlay:tensors()) do
      copied(overlay, PACKED, entry.name, (entry.name:gsub("^transformer%.", "")))
      if entry.name:find("^transformer%.") then overlay:drop(entry.name) end
    end
  end)
  test.equal(facts_of(census), {})
  test.equal(census.by_name[LINEAR].logical_dtype, "nf4")
end)

test("what is packed is claimed even when the config asks for nothing", function()
  local census = census_of(PACKED, nil, { quantization_config = json.null })
  test.equal(facts_of(census), {})
  test.equal(census.by_name[LINEAR].format, "bitsandbytes")
  test.equal(require("qspec.census").packed(census), 16)
end)
