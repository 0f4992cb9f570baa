-- What a checker must not raise: genuine checkpoints, and reports of the past that turned out to be
-- no faults.

local plan = require "qspec.plan"
local spec = require "qspec.spec"
local system = require "host.system"
local test = require "test"
local trial = require "qspec.mutation.trial"
local Mutant = require "qspec.mutation.mutant"
local Subject = require "qspec.subject"

local HOME = system.home()
local BLOOM = "examples/models/bloom-tiny"
local QWEN2 = "tests/data/qwen2-tiny"

local function job_of(family, model, baseline)
  local loaded = spec.load(("%s/specs/%s.lua"):format(HOME, family))
  return plan.make(loaded, { model = HOME .. "/" .. model, baseline = HOME .. "/" .. baseline,
    only = {}, skip = {} })[1]
end

local function expect_silence(family, model, baseline, edit)
  local job = job_of(family, model, baseline)
  local subject = job.subject
  if edit then
    local mutant = Mutant.new(subject, "edited")
    edit(mutant)
    subject = mutant:subject()
  end
  local result = trial.run(subject, trial.steps(job.declarations, "generate"), job.family)
  local finding = result.finding or {}
  test.ok(not result.killed and not result.fault, ("%s: %s %s %s"):format(tostring(result.check),
    tostring(finding.module), tostring(finding.key), tostring(finding.found or result.fault)))
end

for _, model in ipairs { "examples/models/bloom-tiny", "examples/models/bloom-tiny-bnb-nf4",
  "tests/data/bloom-tiny-bnb-fp4", "tests/data/bloom-tiny-bnb-int8",
  "tests/data/bloom-tiny-bnb-nf4dq" } do
  test("the genuine " .. model:match("[^/]+$") .. " raises nothing", function()
    expect_silence("bloom", model, BLOOM)
  end)
end

for _, model in ipairs { "qwen2-tiny", "qwen2-tiny-gptq4act", "qwen2-tiny-ct-fp8_dynamic" } do
  test("the genuine " .. model .. " raises nothing", function()
    expect_silence("qwen2", "tests/data/" .. model, QWEN2)
  end)
end

test("bytes that are packed 4-bit codes are not called 8-bit weights (bitsandbytes#1203)",
  function()
    local path = HOME .. "/examples/models/bloom-tiny-bnb-nf4"
    local subject = Subject.new { name = "nf4", path = path }
    for _, row in ipairs(subject.census.modules) do
      if row.layout then
        test.equal({ row.parameters.weight.dtype, row.logical_dtype }, { "uint8", "nf4" })
      end
    end
  end)

test("files that another quantizer left in the folder raise nothing (llama.cpp#9252)", function()
  expect_silence("bloom", "examples/models/bloom-tiny-bnb-nf4", BLOOM, function(mutant)
    mutant.folder:put("quanto_qmap.json", '{"transformer.h.0.mlp.dense_h_to_4h": {}}')
    mutant.folder:put("consolidated.safetensors", "")
    mutant.folder:put("notes.txt", "left over")
  end)
end)

test("an 8-bit checkpoint passes a family's spec that names no width (unsloth#5430)", function()
  expect_silence("bloom", "tests/data/bloom-tiny-bnb-int8", BLOOM)
end)

-- As a quantizer does that is told to skip some projections: dense, and on the list.
test("projections that were skipped by name raise nothing (unsloth#5430)", function()
  expect_silence("bloom", "examples/models/bloom-tiny-bnb-nf4", BLOOM, function(mutant)
    local dense, rows = require "qspec.mutation.dense", {}
    for _, row in ipairs(mutant:packed()) do
      if row.name:find("self_attention.dense", 1, true) then rows[#rows + 1] = row end
    end
    dense.replace(mutant, rows, "float16")
    mutant:edit_quantization(function(config)
      local json = require "host.json"
      config.llm_int8_skip_modules = json.array { "lm_head", "self_attention.dense" }
    end)
  end)
end)

test("layers that may be put on the CPU raise nothing (unsloth#5430)", function()
  expect_silence("bloom", "tests/data/bloom-tiny-bnb-int8", BLOOM, function(mutant)
    mutant:edit_quantization(function(config) config.llm_int8_enable_fp32_cpu_offload = true end)
  end)
end)

-- What cannot be read is no verdict on the model: exit code 3, never 1.
test("a source of an unknown kind is unsupported, not broken (llama.cpp#12923)", function()
  local subject = Subject.new { name = "nf4", path = HOME .. "/examples/models/bloom-tiny-bnb-nf4" }
  local mutant = Mutant.new(subject, "unknown")
  mutant:edit_quantization(function(config) config.quant_method = "of_tomorrow" end)
  local err = test.raises("unknown quant_method", function() return mutant:subject().format end)
  test.equal(err.kind, "unsupported")
end)

test("a tokenizer that another library wrote anew raises nothing", function()
  expect_silence("bloom", "examples/models/bloom-tiny-bnb-nf4", BLOOM, function(mutant)
    mutant:edit_json("tokenizer.json", function(tokenizer)
      tokenizer.version = "1.1"
      tokenizer.model.continuing_subword_prefix = ""
      tokenizer.truncation = { max_length = 512, strategy = "LongestFirst", stride = 0,
        direction = "Right" }
    end)
    mutant:edit_json("tokenizer_config.json", function(config) config.is_local = true end)
    mutant:edit_json("generation_config.json", function(config)
      config.transformers_version = "9.9.9"
      config.do_sample = true
    end)
  end)
end)

test("companions in another shard that the index knows raise nothing", function()
  expect_silence("bloom", "examples/models/bloom-tiny-bnb-nf4", BLOOM, function(mutant)
    local row = mutant:packed()[1]
    local name = row.holding.tensors["weight.absmax"].name
    mutant:edit_index(function(index)
      local here = index.weight_map[name]
      for _, file in pairs(index.weight_map) do
        if file ~= here then
          index.weight_map[name] = file
          return mutant:place(name, file)
        end
      end
    end)
  end)
end)
