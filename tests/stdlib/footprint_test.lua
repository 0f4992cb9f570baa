local test = require "test"
local Subject = require "qspec.subject"
local footprint = require "qspec.footprint"
local registry = require "qspec.registry"
local schema = require "qspec.schema"
local system = require "host.system"

local bloom_1b7 = { model_type = "bloom", dtype = "float16", hidden_size = 2048, n_head = 16,
  n_layer = 24, vocab_size = 250880, layer_norm_epsilon = 1e-5 }

local function subject_of(options)
  local format = registry("formats").get("bitsandbytes")
  return Subject.new { name = "bloom-1b7", config = bloom_1b7, quantize = options and {
    format = format, options = schema.check(format.quantizer.params, options, "bitsandbytes") } }
end

local function bytes_of(subject)
  return footprint.of_config(subject.architecture, subject.modules, subject.dtype,
    function(module) return (subject.requests.of(module)) end, subject.requests.dtype_of)
end

local function example(name)
  return Subject.new { name = name, path = system.home() .. "/examples/models/" .. name }
end

test("bloom-1b7 in float16 takes the bytes that transformers reports", function()
  test.equal(bytes_of(subject_of()), 3444817920)
end)

test("bloom-1b7 in 4 bits has the ratio of transformers' own test", function()
  local ratio = 3444817920 / bytes_of(subject_of { bits = 4 })
  test.near(ratio, 2.109659552692574, 1e-9)
end)

test("bloom-1b7 in int8 has the ratio of transformers' own test", function()
  local ratio = 3444817920 / bytes_of(subject_of { bits = 8 })
  test.near(ratio, 1.5400250499901118, 1e-9)
end)

test("double quantization does not change what transformers counts", function()
  test.equal(bytes_of(subject_of { bits = 4, type = "nf4", double_quant = true }),
    bytes_of(subject_of { bits = 4, type = "fp4" }))
end)

test("an empty skip list converts the head too, which the defaults protect", function()
  local with_head = bytes_of(subject_of { bits = 4, skip_modules = {} })
  test.equal(with_head, bytes_of(subject_of { bits = 4 }))  -- tied: its weight is the embedding's
  test.ok((subject_of { bits = 4, skip_modules = {} }).requests.of { name = "lm_head",
    class = "Linear", kind = "linear" } ~= nil)
end)

test("the census of the examples gives transformers' footprints to the byte", function()
  test.equal(footprint.of_census(example("bloom-tiny").census), 7073792)
  test.equal(footprint.of_census(example("bloom-tiny-bnb-nf4").census), 2355200)
end)

test("the footprint computed from the config is that of the census", function()
  for _, name in ipairs { "bloom-tiny", "bloom-tiny-bnb-nf4" } do
    local subject = example(name)
    test.equal(bytes_of(subject), footprint.of_census(subject.census), name)
  end
end)

test("modules kept in fp32 count four bytes only when the model is float16", function()
  local architecture = { keep_in_fp32 = { "wo" }, keep_in_fp32_strict = { "router" } }
  test.equal(footprint.dense_dtype(architecture, "block.wo", "float16"), "float32")
  test.equal(footprint.dense_dtype(architecture, "block.wo", "bfloat16"), "bfloat16")
  test.equal(footprint.dense_dtype(architecture, "block.router", "bfloat16"), "float32")
end)
