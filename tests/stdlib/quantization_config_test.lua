local test = require "test"
local json = require "host.json"
local quantization_config = require "qspec.quantization_config"
local registry = require "qspec.registry"

local bitsandbytes = registry("formats").get("bitsandbytes")

local SAVED = [[{
  "_load_in_4bit": true, "_load_in_8bit": false, "bnb_4bit_compute_dtype": "float16",
  "bnb_4bit_quant_storage": "uint8", "bnb_4bit_quant_type": "nf4",
  "bnb_4bit_use_double_quant": false, "llm_int8_enable_fp32_cpu_offload": false,
  "llm_int8_has_fp16_weight": false, "llm_int8_skip_modules": null, "llm_int8_threshold": 6.0,
  "load_in_4bit": true, "load_in_8bit": false, "quant_method": "bitsandbytes"
}]]

local function problems(text)
  local found = {}
  for _, problem in ipairs(quantization_config.type_problems(bitsandbytes, json.decode(text),
      json.kinds(text))) do
    found[#found + 1] = problem.key .. ": " .. problem.found
  end
  return found
end

test("what transformers saves has no problem and survives reading and writing", function()
  local raw = json.decode(SAVED)
  test.equal(problems(SAVED), {})
  test.equal(quantization_config.write(bitsandbytes, raw), raw)
  test.equal(quantization_config.unknown_keys(bitsandbytes, raw), {})
end)

test("a whole number where transformers wants a float is named", function()
  test.equal(problems [[{ "llm_int8_threshold": 6 }]],
    { "quantization_config.llm_int8_threshold: integer 6" })
end)

test("a text where a boolean belongs is named", function()
  test.equal(problems [[{ "load_in_4bit": "true" }]],
    { "quantization_config.load_in_4bit: string true" })
end)

test("a quant_type that does not exist is named with those that do", function()
  local list = quantization_config.type_problems(bitsandbytes,
    { bnb_4bit_quant_type = "int4" }, { bnb_4bit_quant_type = "string" })
  test.equal(list[1].found, "'int4'")
  test.equal(list[1].wanted, "one of fp4, nf4")
end)

test("a skip list must be a list of texts", function()
  test.equal(problems [[{ "llm_int8_skip_modules": "lm_head" }]],
    { "quantization_config.llm_int8_skip_modules: string lm_head" })
  test.equal(problems [[{ "llm_int8_skip_modules": ["lm_head", 3] }]],
    { "quantization_config.llm_int8_skip_modules: array" })
  test.equal(problems [[{ "llm_int8_skip_modules": ["lm_head"] }]], {})
end)

test("null is allowed where the field may be absent and nowhere else", function()
  test.equal(problems [[{ "llm_int8_skip_modules": null }]], {})
  test.equal(problems [[{ "load_in_4bit": null }]], { "quantization_config.load_in_4bit: null" })
end)

test("an alias that disagrees with its field is reported", function()
  local list = quantization_config.alias_problems(bitsandbytes,
    { load_in_4bit = true, _load_in_4bit = false })
  test.equal(#list, 1)
  test.equal(list[1].key, "quantization_config._load_in_4bit")
end)

test("an alias stands in for a field that is missing", function()
  test.equal(quantization_config.read(bitsandbytes, { _load_in_8bit = true }).load_in_8bit, true)
end)

test("unknown keys are reported with the nearest known one", function()
  local unknown = quantization_config.unknown_keys(bitsandbytes, { bnb_4bit_quant_typ = "nf4" })
  test.equal(unknown, { { key = "bnb_4bit_quant_typ", nearest = "bnb_4bit_quant_type" } })
end)

test("both load flags false is a request with a problem", function()
  local request = bitsandbytes.requested { load_in_4bit = false, load_in_8bit = false }
  test.ok(request.problem:find("both false", 1, true))
  test.equal(request.layout, nil)
end)

test("an unknown quant_method gets the nearest one", function()
  local format, close = quantization_config.format_of("bitsandbyte")
  test.equal(format, nil)
  test.equal(close, "bitsandbytes")
end)
