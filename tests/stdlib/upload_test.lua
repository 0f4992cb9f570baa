local registry = require "qspec.registry"
local system = require "host.system"
local test = require "test"
local upload = require "qspec.upload"
local Subject = require "qspec.subject"

local MODELS = system.home() .. "/examples/models/"

local function subject(name, more)
  local o = { name = name, path = MODELS .. name, device = "cuda:0" }
  for key, value in pairs(more or {}) do o[key] = value end
  return Subject.new(o)
end

local function quantized_on_load()
  return { format = registry("formats").get("bitsandbytes"),
    options = { bits = 4, type = "nf4", double_quant = false, compute_dtype = "float16",
      threshold = 6.0 } }
end

local function as_set(names)
  local set = {}
  for _, name in ipairs(names) do set[name] = true end
  return set
end

test("a stored model stays on its GPU whole, small companions apart", function()
  local kept, passing = upload.plan(subject "bloom-tiny-bnb-nf4")
  kept = as_set(kept)
  test.equal(#passing, 0)
  test.ok(kept["transformer.h.0.mlp.dense_4h_to_h.weight"])
  test.ok(kept["transformer.h.0.mlp.dense_4h_to_h.weight.absmax"])
  test.ok(not kept["transformer.h.0.mlp.dense_4h_to_h.weight.quant_map"])
end)

test("weights that are quantized on load pass through, the others stay", function()
  local kept, passing = upload.plan(subject("bloom-tiny", { quantize = quantized_on_load() }))
  kept, passing = as_set(kept), as_set(passing)
  test.ok(passing["transformer.h.0.mlp.dense_4h_to_h.weight"])
  test.ok(not kept["transformer.h.0.mlp.dense_4h_to_h.weight"])
  test.ok(kept["transformer.word_embeddings.weight"])
  test.ok(not passing["transformer.word_embeddings.weight"])
end)

test("a baseline passes through, in the order of its modules", function()
  local baseline = subject("bloom-tiny", { is_baseline = true })
  local kept, passing = upload.plan(baseline)
  test.equal(#kept, 0)
  local place = {}
  for i, name in ipairs(passing) do place[name] = i end
  local last = 0
  for _, module in ipairs(baseline.modules) do
    local i = place[module.name .. ".weight"]
    if i then
      test.ok(i > last, module.name)
      last = i
    end
  end
  test.ok(last > 10, "hardly a weight was in the plan")
end)

test("on the CPU a checkpoint is its files", function()
  local on_cpu = subject("bloom-tiny", { device = "cpu" })
  test.equal(upload.gpu_of(on_cpu), nil)
  test.ok(upload.begin(on_cpu) == on_cpu.stored)
end)

test("the number of a GPU is that of the device", function()
  test.equal(upload.gpu_of { device = "cuda:3" }, 3)
end)

test("what is decoded on the host is not uploaded", function()
  local gptq = registry("formats").get("gptq")
  local one = setmetatable({ format = gptq, device = "cuda:0", stored = "files" }, nil)
  test.equal(upload.begin(one), "files")
end)
