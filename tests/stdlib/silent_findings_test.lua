-- What transformers does without a word to a checkpoint is a finding: the head that loses its
-- default exclusion, a load dtype taken from a scale, a config that asks to be unpacked.

local checkpoint = require "host.checkpoint"
local json = require "host.json"
local system = require "host.system"
local registry = require "qspec.registry"
local schema = require "qspec.schema"
local Context = require "qspec.context"
local Subject = require "qspec.subject"
local test = require "test"

local PACKED = system.home() .. "/examples/models/bloom-tiny-bnb-nf4"
local DENSE = system.home() .. "/examples/models/bloom-tiny"
local LINEAR = "transformer.h.1.mlp.dense_4h_to_h"
local MOST_BYTES = 2 ^ 24

-- The findings of a check at header tier, as "module key".
local function findings_of(name, subject, params)
  local check = registry("checks").get(name)
  local ctx = Context.new { subject = subject,
    params = schema.check(check.params, params or {}, name) }
  local run = type(check.run) == "table" and check.run.header or check.run
  run(ctx)
  local list = {}
  for i, finding in ipairs(ctx.findings) do
    list[i] = tostring(finding.module) .. " " .. tostring(finding.key)
  end
  return list
end

local function packed_subject()
  return Subject.new { name = "packed", path = PACKED }
end

local function with_one_dense_linear()
  local overlay, source = checkpoint.open(PACKED):overlay(), checkpoint.open(DENSE)
  for _, suffix in ipairs { ".absmax", ".quant_map", ".quant_state.bitsandbytes__nf4" } do
    overlay:drop(LINEAR .. ".weight" .. suffix)
  end
  local entry = source:find(LINEAR .. ".weight")
  overlay:put(entry.name, entry.dtype, entry.shape, source:bytes(entry.name, MOST_BYTES))
  local subject = packed_subject()
  subject.stored = overlay
  return subject
end

test("the share of packed weights is held to what the spec wants", function()
  test.equal(findings_of("quantized", packed_subject(), { share = 1 }), {})
  test.equal(findings_of("quantized", with_one_dense_linear(), { share = 1 }), { "nil share" })
  test.equal(findings_of("quantized", with_one_dense_linear(), { share = 0.5 }), {})
end)

test("a config that asks to be unpacked on load is a finding", function()
  local subject = packed_subject()
  subject.quantization_values = setmetatable({ dequantize = true },
    { __index = subject.quantization_values })
  test.equal(findings_of("quantized", subject), { "nil quantization_config.dequantize" })
end)

test("a load dtype that would be taken from a scale is a finding", function()
  local subject = packed_subject()
  subject.config_dtype = false
  subject.first_float = subject.stored:find(LINEAR .. ".weight.absmax")
  local found = table.concat(findings_of("dtypes", subject), "\n")
  test.ok(found:find("nil dtype", 1, true), found)
end)

test("a load dtype that is taken from a bias is none", function()
  local subject = packed_subject()
  subject.config_dtype = false
  subject.first_float = subject.stored:find(LINEAR .. ".bias")
  test.equal(findings_of("dtypes", subject), {})
end)

local function with_skip_list(list)
  local subject = packed_subject()
  subject.config_file.raw.quantization_config.llm_int8_skip_modules = json.array(list)
  return subject
end

test("a skip list that loses the default head is a finding, unless the spec allows it", function()
  test.equal(findings_of("excluded", with_skip_list { "lm_head" }), {})
  local found = findings_of("excluded", with_skip_list {})
  test.equal(found, { "lm_head skip list" })
  test.equal(findings_of("excluded", with_skip_list {}, { replaced_defaults = true }), {})
end)
