-- ModelOpt's exports: each kind of weight, the config's two forms, and what can be wrong.

local json = require "host.json"
local made = require "synthetic_model"
local modelopt = require "qspec.formats.modelopt"
local tensor = require "host.tensor"
local test = require "test"

local NAME = "model.layers.0.self_attn.k_proj"
local HEAD = "lm_head"
local E2M1 = { [0] = 0, 0.5, 1, 1.5, 2, 3, 4, 6 }

local function matrix(rows, columns, f)
  local result = {}
  for r = 1, rows do
    result[r] = {}
    for c = 1, columns do result[r][c] = f(r - 1, c - 1) end
  end
  return result
end

-- 0x38 is 1 in e4m3, each 8 more twice that.
local function fp8(rows, columns)
  return tensor.from(matrix(rows, columns, function(r, c) return 0x38 + 8 * ((r + c) % 3) end),
    "uint8"):view("float8_e4m3fn")
end

local function fp8_value(r, c) return 2 ^ ((r + c) % 3) end

local function nibble(r, c) return (r * 5 + c * 3) % 16 end

local function e2m1(code) return (code < 8 and 1 or -1) * E2M1[code % 8] end

-- Two columns to a byte.
local function packed(rows, columns)
  return tensor.from(matrix(rows, columns / 2, function(r, c)
    return nibble(r, 2 * c) + 16 * nibble(r, 2 * c + 1)
  end), "uint8")
end

local function config(algorithm, rest)
  return ([=[{"quant_method":"modelopt","quant_algo":"%s","ignore":["lm_head"]%s}]=]):format(
    algorithm, rest or "")
end

local function take(o)
  local shape = o.shape
  local tensors = { [HEAD .. ".weight"] = tensor.zeros({ 4, shape[2] }, "bfloat16") }
  for suffix, value in pairs(o.tensors) do tensors[NAME .. "." .. suffix] = value end
  return made.take { modules = { made.linear(NAME, shape[1], shape[2]),
    made.linear(HEAD, 4, shape[2]) }, tensors = tensors, config = o.config }
end

local function nvfp4_tensors()
  return { weight = packed(3, 32), weight_scale = fp8(3, 2), weight_scale_2 = tensor.from(0.25),
    input_scale = tensor.from(1) }
end

local function nvfp4(change, algorithm, rest)
  local tensors = nvfp4_tensors()
  for suffix, value in pairs(change or {}) do tensors[suffix] = value or nil end
  return take { shape = { 3, 32 }, tensors = tensors, config = config(algorithm or "NVFP4", rest) }
end

test("FP8 is a code times the scale of its tensor", function()
  local taken = take { shape = { 2, 3 }, config = config("FP8"), tensors = { weight = fp8(2, 3),
    weight_scale = tensor.from(0.5), input_scale = tensor.from(1), k_scale = tensor.from(2) } }
  test.equal(made.facts(taken), {})
  test.equal(made.decoded(taken, NAME):tolist(), matrix(2, 3, function(r, c)
    return fp8_value(r, c) * 0.5
  end))
  test.equal(made.value_problems(taken, NAME), {})
end)

test("FP8 by rows has a scale a row", function()
  local taken = take { shape = { 2, 3 }, config = config("FP8_PER_CHANNEL_PER_TOKEN"), tensors = {
    weight = fp8(2, 3), weight_scale = tensor.from { 0.5, 4 } } }
  test.equal(made.facts(taken), {})
  test.equal(made.decoded(taken, NAME):tolist(), matrix(2, 3, function(r, c)
    return fp8_value(r, c) * (r == 0 and 0.5 or 4)
  end))
end)

test("FP8 in blocks may keep the dimensions of its amax", function()
  local scales = tensor.from { { 0.5, 4 }, { 2, 8 } }
  for _, stored in ipairs { scales, scales:reshape(2, 1, 2, 1) } do
    local taken = take { shape = { 130, 256 }, config = config("FP8_PB_WO"), tensors = {
      weight = fp8(130, 256), weight_scale = stored } }
    test.equal(made.facts(taken), {})
    local decoded = made.decoded(taken, NAME)
    test.equal(decoded:narrow(1, 129, 1):narrow(2, 129, 1):item(), fp8_value(128, 128) * 8)
    test.equal(decoded:narrow(1, 128, 1):narrow(2, 129, 1):item(), fp8_value(127, 128) * 4)
  end
end)

test("NVFP4 is a code times the product of its two scales", function()
  local taken = nvfp4()
  test.equal(made.facts(taken), {})
  test.equal(made.decoded(taken, NAME):tolist(), matrix(3, 32, function(r, c)
    return e2m1(nibble(r, c)) * fp8_value(r, math.floor(c / 16)) * 0.25
  end))
  test.equal(taken.census.by_name[NAME].scheme.group_size, 16)
  test.equal(made.value_problems(taken, NAME), {})
end)

test("columns that AWQ scaled are scaled back", function()
  local before = {}
  for c = 1, 32 do before[c] = 2 ^ (c % 3) end
  local taken = nvfp4({ pre_quant_scale = tensor.from(before) }, "NVFP4_AWQ")
  test.equal(made.facts(taken), {})
  test.equal(made.decoded(taken, NAME):tolist(), matrix(3, 32, function(r, c)
    return e2m1(nibble(r, c)) * fp8_value(r, math.floor(c / 16)) * 0.25 * before[c + 1]
  end))
end)

test("MXFP4 and MXFP8 have exponent bytes for 32 columns", function()
  local bytes = tensor.from({ { 126 }, { 128 }, { 130 } }, "uint8")
  local four = take { shape = { 3, 32 }, config = config("W4A8_MXFP4_FP8"), tensors = {
    weight = packed(3, 32), weight_scale = bytes } }
  local eight = take { shape = { 3, 32 }, config = config("MXFP8"), tensors = {
    weight = fp8(3, 32), weight_scale = bytes } }
  local scales = { 0.5, 2, 8 }
  test.equal({ made.facts(four), made.facts(eight) }, { {}, {} })
  test.equal(made.decoded(four, NAME):tolist(), matrix(3, 32, function(r, c)
    return e2m1(nibble(r, c)) * scales[r + 1]
  end))
  test.equal(made.decoded(eight, NAME):tolist(), matrix(3, 32, function(r, c)
    return fp8_value(r, c) * scales[r + 1]
  end))
end)

test("int4 lies two rows to a byte, the upper row in its low bits", function()
  local function signed(r, c)
    local code = nibble(r, c)
    return code < 8 and code or code - 16
  end
  local weight = tensor.from(matrix(2, 8, function(r, c)
    return nibble(2 * r, c) + 16 * nibble(2 * r + 1, c)
  end), "uint8")
  local scales = { { 0.5, 2 }, { 4, 8 }, { 1, 3 }, { 0.25, 1 } }
  local taken = take { shape = { 4, 8 }, config = config("W4A16_AWQ", [[,"group_size":4]]),
    tensors = { weight = weight, weight_scale = tensor.from(scales, "bfloat16"),
      pre_quant_scale = tensor.zeros({ 8 }) + 1 } }
  test.equal(made.facts(taken), {})
  test.equal(made.decoded(taken, NAME):tolist(), matrix(4, 8, function(r, c)
    return signed(r, c) * scales[r + 1][math.floor(c / 4) + 1]
  end))
end)

test("int8 has a scale a row", function()
  local taken = take { shape = { 2, 3 }, config = config("W8A16"), tensors = {
    weight = tensor.from({ { -128, 0, 127 }, { 1, 2, 3 } }, "int8"),
    weight_scale = tensor.from { 0.5, 2 } } }
  test.equal(made.facts(taken), {})
  test.equal(made.decoded(taken, NAME):tolist(), { { -64, 0, 63.5 }, { 2, 4, 6 } })
end)

test("a low-rank part makes a weight that is not decoded", function()
  local taken = nvfp4({ svdquant_lora_a = tensor.zeros { 2, 32 },
    svdquant_lora_b = tensor.zeros { 3, 2 }, pre_quant_scale = tensor.zeros { 32 } }, "NVFP4_SVD")
  test.equal(made.facts(taken), {})
  test.raises("low%-rank", made.decoded, taken, NAME)
end)

-- Configs -----------------------------------------------------------------------------------------

test("hf_quant_config.json is read as a quantization_config", function()
  local raw, kinds = json.decode([[{"producer":{"name":"modelopt","version":"0.29.0"},
    "quantization":{"quant_algo":"NVFP4","kv_cache_quant_algo":"FP8","group_size":16,
    "exclude_modules":["lm_head","model.layers.1*"]}}]], "hf_quant_config.json")
  local translated = modelopt.files["hf_quant_config.json"](raw, kinds)
  local values = require("qspec.quantization_config").read(modelopt, translated)
  local asked = modelopt.requested(values)
  test.equal({ asked.type, asked.group_size, asked.skip }, { "nvfp4", 16, { "lm_head",
    "model.layers.1*" } })
end)

test("a file that is none of ModelOpt's is left alone", function()
  local translate = modelopt.files["hf_quant_config.json"]
  test.equal(translate({ quantization = "FP8" }, {}), nil)
  test.equal(translate({}, {}), nil)
end)

test("globs exclude whole names", function()
  local function reason(pattern)
    local taken = take { shape = { 3, 32 }, tensors = nvfp4_tensors(), config =
      ([=[{"quant_method":"modelopt","quant_algo":"NVFP4","exclude_modules":["%s"]}]=]):format(
        pattern) }
    return taken.census.by_name[NAME].reason
  end
  test.equal(reason "*.k_proj", "excluded by '*.k_proj' (config)")
  test.equal(reason "model.layers.0*", "excluded by 'model.layers.0*' (config)")
  test.equal(reason "k_proj", nil)
  test.equal(reason "model.layers.0", nil)
end)

test("names of older files are renamed as their tensors are", function()
  local taken = made.take { modules = { made.linear(NAME, 3, 32) }, config =
    [=[{"quant_method":"modelopt","quant_algo":"fp8","ignore":["model.layers.0.attn.*"]}]=],
    tensors = { [NAME .. ".weight"] = tensor.zeros({ 3, 32 }, "bfloat16") },
    architecture = { name = "made", tied = {}, renames = { { "%.attn%.", ".self_attn." } } } }
  test.equal(taken.census.by_name[NAME].reason, "excluded by 'model.layers.0.attn.*' (config)")
  test.equal(made.facts(taken), {})
end)

test("the second scale and that of the inputs are asked of W4A8_AWQ", function()
  local weight = tensor.zeros({ 2, 8 }, "uint8")
  local taken = take { shape = { 4, 8 }, config = config("W4A8_AWQ", [[,"group_size":4]]),
    tensors = { weight = weight, weight_scale = tensor.zeros({ 4, 2 }) + 1 } }
  test.equal(made.facts(taken), {
    "companion " .. NAME .. " weight_scale_2: missing, wanted F32 [scalar]",
    "companion " .. NAME .. " input_scale: missing, wanted F32 or BF16 or F16 [scalar]" })
end)

test("a mixture asks layer by layer, and leaves out what it does not name", function()
  local layers = [=[,"quantized_layers":{"%s":{"quant_algo":"NVFP4","group_size":16}}]=]
  local taken = nvfp4(nil, "MIXED_PRECISION", layers:format(NAME))
  test.equal(made.facts(taken), {})
  local other = nvfp4(nil, "MIXED_PRECISION", layers:format("model.layers.9.a"))
  test.equal(made.facts(other),
    { "unrequested " .. NAME .. " -: Linear nvfp4, wanted Linear bfloat16" })
  test.equal(other.census.by_name[NAME].reason, "not in quantized_layers")
end)

test("an algorithm that does not exist is named with its nearest", function()
  local taken = nvfp4(nil, "NVFP5")
  test.equal(taken.requested.problem, "quant_algo 'NVFP5'")
  test.equal(taken.requested.hint, "did you mean 'NVFP4'?")
  test.equal(nvfp4(nil, "MIXED_PRECISION").requested.problem,
    "MIXED_PRECISION without quantized_layers")
end)

test("hostile group sizes change nothing that is read", function()
  for _, size in ipairs { "0", "-16", "1e300", "16.5", '"16"', "null", "[16]" } do
    local taken = nvfp4(nil, nil, ',"group_size":' .. size)
    test.equal(made.facts(taken), {}, size)
  end
end)

-- What can be wrong -------------------------------------------------------------------------------

test("each companion that is missing is named", function()
  for suffix, wanted in pairs { weight_scale = "F8_E4M3 [3 x 2]", weight_scale_2 = "F32 [scalar]",
    input_scale = "F32 or BF16 or F16 [scalar]" } do
    local taken = nvfp4 { [suffix] = false }
    test.equal(made.facts(taken),
      { "companion " .. NAME .. " " .. suffix .. ": missing, wanted " .. wanted })
  end
end)

test("scales of another count are named", function()
  test.equal(made.facts(nvfp4 { weight_scale = fp8(2, 2) }),
    { "companion " .. NAME .. " weight_scale: F8_E4M3 [2 x 2], wanted F8_E4M3 [3 x 2]" })
  test.equal(made.facts(nvfp4 { weight_scale = fp8(3, 5) }),
    { "companion " .. NAME .. " weight_scale: F8_E4M3 [3 x 5], wanted F8_E4M3 [3 x 2]" })
end)

test("a group of another size than the config's is seen", function()
  local taken = nvfp4({ weight_scale = fp8(3, 1) }, nil, [[,"group_size":16]])
  local row = taken.census.by_name[NAME]
  test.equal({ row.request.group_size, row.scheme.group_size }, { 16, 32 })
end)

test("a projection that stayed dense fell back", function()
  local taken = take { shape = { 3, 32 }, config = config "NVFP4",
    tensors = { weight = tensor.zeros({ 3, 32 }, "bfloat16") } }
  test.equal(made.facts(taken), { "fell_back " .. NAME
    .. " -: Linear bfloat16, wanted Linear nvfp4" })
end)

test("scales that are no scales are named by their values", function()
  local taken = nvfp4 { weight_scale_2 = tensor.from(0), input_scale = tensor.from(0 / 0) }
  test.equal(made.value_problems(taken, NAME), {
    "weight_scale_2: 1 of 0, wanted scales > 0",
    "input_scale: 1 not finite, wanted every scale a finite number",
    "weight_scale: 0 over 84 codes that are not, wanted scales > 0" })
end)

test("codes of NaN are counted", function()
  local taken = take { shape = { 1, 2 }, config = config("FP8"), tensors = {
    weight = tensor.from({ { 0x7f, 0xff } }, "uint8"):view("float8_e4m3fn"),
    weight_scale = tensor.from(0.5), input_scale = tensor.from(1) } }
  test.equal(made.value_problems(taken, NAME), { "weight: 2 codes of NaN, wanted numbers" })
end)
