-- Fine-grained fp8: what its weights stand for, and each way in which one can be wrong.

local made = require "synthetic_model"
local tensor = require "host.tensor"
local test = require "test"

local NAME = "model.layers.0.mlp.up_proj"
local HEAD = "lm_head"

-- What an e4m3 code stands for, by its bits.
local function e4m3(code)
  local sign, exponent = code < 128 and 1 or -1, math.floor(code % 128 / 8)
  local mantissa = code % 8
  if exponent == 0 then return sign * mantissa / 512 end
  return sign * (1 + mantissa / 8) * 2 ^ (exponent - 7)
end

local E2M1 = { [0] = 0, 0.5, 1, 1.5, 2, 3, 4, 6 }

local function matrix(rows, columns, f)
  local result = {}
  for r = 1, rows do
    result[r] = {}
    for c = 1, columns do result[r][c] = f(r - 1, c - 1) end
  end
  return result
end

-- A code that is a number, the same every time.
local function code_at(r, c)
  local code = (r * 37 + c * 101 + r * c * 7) % 256
  return code % 128 == 127 and code - 1 or code
end

local function fp8(rows, columns, f)
  return tensor.from(matrix(rows, columns, f or code_at), "uint8"):view("float8_e4m3fn")
end

local function block_config(rows, columns, rest)
  return ([[{"quant_method":"fp8","weight_block_size":[%d,%d]%s}]]):format(rows, columns,
    rest or "")
end

-- A model of one weight [5, 7] in blocks of 3 x 4, and a head that the defaults exclude.
local function take(o)
  o = o or {}
  local tensors = {
    [NAME .. ".weight"] = fp8(5, 7),
    [NAME .. ".weight_scale_inv"] = tensor.from { { 0.5, 2 }, { 4, 0.25 } },
    [HEAD .. ".weight"] = tensor.zeros({ 4, 7 }, "bfloat16"),
  }
  for name, value in pairs(o.tensors or {}) do tensors[name] = value or nil end
  for _, name in ipairs(o.without or {}) do tensors[name] = nil end
  return made.take { modules = o.modules or { made.linear(NAME, 5, 7), made.linear(HEAD, 4, 7) },
    tensors = tensors, config = o.config or block_config(3, 4), raw = o.raw }
end

test("each block of codes is scaled by its own scale, the ragged ones too", function()
  local taken = take()
  test.equal(made.facts(taken), {})
  local scales = { { 0.5, 2 }, { 4, 0.25 } }
  test.equal(made.decoded(taken, NAME):tolist(), matrix(5, 7, function(r, c)
    return e4m3(code_at(r, c)) * scales[math.floor(r / 3) + 1][math.floor(c / 4) + 1]
  end))
  test.equal(made.value_problems(taken, NAME), {})
end)

test("a converted module has transformers' class and both parameters", function()
  local row = take().census.by_name[NAME]
  test.equal(row.class, "FP8Linear")
  test.equal(row.parameters.weight.dtype, "float8_e4m3fn")
  test.equal(row.parameters.weight_scale_inv, { dtype = "float32", shape = { 2, 2 },
    stored = "float32" })
  test.equal(row.footprint, 5 * 7 + 4 * 4)
end)

test("scales in a half type are held in float32", function()
  local taken = take { tensors = { [NAME .. ".weight_scale_inv"] =
    tensor.from({ { 1, 2 }, { 3, 4 } }, "bfloat16") } }
  test.equal(made.facts(taken), {})
  test.equal(taken.census.by_name[NAME].footprint, 5 * 7 + 4 * 4)
end)

test("without blocks there is one scale, and a static one of the activations", function()
  local taken = take { config = [[{"quant_method":"fp8","weight_block_size":null,
    "activation_scheme":"static"}]], tensors = {
      [NAME .. ".weight_scale_inv"] = tensor.from(0.125),
      [NAME .. ".activation_scale"] = tensor.from(3),
    } }
  test.equal(made.facts(taken), {})
  test.equal(made.decoded(taken, NAME):tolist(), matrix(5, 7, function(r, c)
    return e4m3(code_at(r, c)) * 0.125
  end))
end)

test("exponent bytes are powers of two, whichever dtype they have", function()
  local bytes = tensor.from({ { 126, 128 }, { 129, 120 } }, "uint8")
  for _, case in ipairs {
    { block_config(3, 4, [[,"scale_fmt":"ue8m0"]]), bytes:view("float8_e8m0fnu") },
    { [[{"quant_method":"mxfp8","weight_block_size":[3,4]}]], bytes },
  } do
    local taken = take { config = case[1], tensors = { [NAME .. ".weight_scale_inv"] = case[2] } }
    test.equal(made.facts(taken), {})
    local scales = { { 0.5, 2 }, { 4, 2 ^ -7 } }
    test.equal(made.decoded(taken, NAME):tolist(), matrix(5, 7, function(r, c)
      return e4m3(code_at(r, c)) * scales[math.floor(r / 3) + 1][math.floor(c / 4) + 1]
    end))
  end
end)

test("an mxfp8 config that names no block means 32 columns of a row", function()
  local modules = { made.linear(NAME, 2, 64), made.linear(HEAD, 4, 7) }
  local taken = take { config = [[{"quant_method":"mxfp8"}]], modules = modules, tensors = {
    [NAME .. ".weight"] = fp8(2, 64),
    [NAME .. ".weight_scale_inv"] = tensor.from({ { 127, 128 }, { 127, 126 } }, "uint8"),
  } }
  test.equal(made.facts(taken), {})
  test.equal(taken.census.by_name[NAME].footprint, 2 * 64 + 4)
end)

test("packed e2m1 holds two values in a byte, the first in its low bits", function()
  local modules = { made.linear(NAME, 2, 64), made.linear(HEAD, 4, 7) }
  local function nibble(r, c) return (r * 5 + c * 3) % 16 end
  local packed = tensor.from(matrix(2, 32, function(r, c)
    return nibble(r, 2 * c) + 16 * nibble(r, 2 * c + 1)
  end), "uint8"):view("int8")
  local taken = take { modules = modules, tensors = { [NAME .. ".weight"] = packed,
    [NAME .. ".weight_scale_inv"] = tensor.from { { 1, 2 }, { 0.5, 4 } } } }
  local scales = { { 1, 2 }, { 0.5, 4 } }
  test.equal(made.decoded(taken, NAME):tolist(), matrix(2, 64, function(r, c)
    local code = nibble(r, c)
    return (code < 8 and 1 or -1) * E2M1[code % 8] * scales[r + 1][math.floor(c / 32) + 1]
  end))
  test.equal(taken.census.by_name[NAME].scheme.type, "float4_e2m1")
end)

test("experts in one tensor have a grid each", function()
  local name = "model.layers.0.mlp.experts.down_proj"
  local modules = { made.experts(name, 2, 5, 7), made.linear(HEAD, 4, 7) }
  local codes = tensor.from({ matrix(5, 7, code_at), matrix(5, 7, function(r, c)
    return code_at(r + 9, c)
  end) }, "uint8"):view("float8_e4m3fn")
  local scales = { { { 0.5, 2 }, { 4, 0.25 } }, { { 8, 1 }, { 16, 32 } } }
  local taken = take { modules = modules, without = { NAME .. ".weight",
    NAME .. ".weight_scale_inv" }, tensors = { [name] = codes,
    [name .. "_scale_inv"] = tensor.from(scales) } }
  test.equal(made.facts(taken), {})
  test.equal(taken.census.by_name[name].class, "FP8Experts")
  local decoded = made.decoded(taken, name):tolist()
  for e = 0, 1 do
    test.equal(decoded[e + 1], matrix(5, 7, function(r, c)
      return e4m3(code_at(r + 9 * e, c)) * scales[e + 1][math.floor(r / 3) + 1]
        [math.floor(c / 4) + 1]
    end))
  end
end)

test("gate and up keep two rows of scales, however small they are", function()
  local name = "model.layers.0.mlp.experts.gate_up_proj"
  local modules = { made.experts(name, 1, 4, 7), made.linear(HEAD, 4, 7) }
  local taken = take { config = block_config(128, 128), modules = modules,
    without = { NAME .. ".weight", NAME .. ".weight_scale_inv" },
    tensors = { [name] = fp8(4, 7):reshape(1, 4, 7),
      [name .. "_scale_inv"] = tensor.from { { { 1 }, { 2 } } } } }
  test.equal(made.facts(taken), {})
  test.equal(made.decoded(taken, name):tolist()[1], matrix(4, 7, function(r, c)
    return e4m3(code_at(r, c)) * (r < 2 and 1 or 2)
  end))
end)

-- What can be wrong -------------------------------------------------------------------------------

test("a weight without its scale is named", function()
  local taken = take { without = { NAME .. ".weight_scale_inv" } }
  test.equal(made.facts(taken), { "companion " .. NAME .. " weight_scale_inv: missing, wanted "
    .. "F32 or BF16 or F16 or F8_E8M0 or U8 [2 x 2]" })
  test.equal(taken.census.by_name[NAME].status, "broken")
end)

test("a grid of another block than the config's is named", function()
  local taken = take { config = block_config(128, 128) }
  test.equal(made.facts(taken), { "companion " .. NAME .. " weight_scale_inv: F32 [2 x 2], wanted "
    .. "F32 or BF16 or F16 or F8_E8M0 or U8 [1 x 1]" })
end)

test("scales of another dtype and codes of another float are named", function()
  local taken = take { tensors = { [NAME .. ".weight_scale_inv"] = tensor.zeros({ 2, 2 }, "int32"),
    [NAME .. ".weight"] = tensor.zeros({ 5, 7 }, "float8_e5m2") } }
  test.equal(made.facts(taken), {
    "companion " .. NAME .. " weight: F8_E5M2 [5 x 7], wanted F8_E4M3 [5 x 7]",
    "companion " .. NAME .. " weight_scale_inv: I32 [2 x 2], wanted F32 or BF16 or F16 or F8_E8M0 "
      .. "or U8 [2 x 2]" })
end)

test("a linear that stayed dense without being excluded fell back", function()
  local taken = take { without = { NAME .. ".weight_scale_inv" },
    tensors = { [NAME .. ".weight"] = tensor.zeros({ 5, 7 }, "bfloat16") } }
  test.equal(made.facts(taken),
    { "fell_back " .. NAME .. " -: Linear bfloat16, wanted FP8Linear float8_e4m3" })
end)

test("an excluded module that is packed is named, by either name of the list", function()
  for _, key in ipairs { "modules_to_not_convert", "ignored_layers" } do
    local taken = take { config = block_config(3, 4, ([=[,"%s":["up_proj","lm_head"]]=]):format(
      key)) }
    test.equal(made.facts(taken),
      { "unrequested " .. NAME .. " -: FP8Linear float8_e4m3, wanted Linear bfloat16" })
    test.equal(taken.census.by_name[NAME].reason, "excluded by 'up_proj' (config)")
  end
end)

test("an empty list protects nothing, the head neither", function()
  local taken = take { config = block_config(3, 4, [[,"modules_to_not_convert":[] ]]) }
  test.equal(made.facts(taken),
    { "fell_back lm_head -: Linear bfloat16, wanted FP8Linear float8_e4m3" })
end)

test("a scale by AutoFP8's name decodes, and is said to be lost on transformers", function()
  local taken = take { without = { NAME .. ".weight_scale_inv" },
    tensors = { [NAME .. ".weight_scale"] = tensor.from(2), [NAME .. ".input_scale"] =
      tensor.from(1) } }
  test.equal(made.facts(taken), { "companion " .. NAME .. " weight_scale: a scale by vLLM's and "
    .. "AutoFP8's name, wanted weight_scale_inv" })
  test.equal(made.decoded(taken, NAME):tolist()[1][2], 2 * e4m3(code_at(0, 1)))
end)

test("a static scale under a dynamic scheme is named, and the weight stands", function()
  local taken = take { tensors = { [NAME .. ".activation_scale"] = tensor.from(2) } }
  test.equal(made.facts(taken), { "companion " .. NAME .. " activation_scale: a static scale of "
    .. "the activations, wanted none: activation_scheme is dynamic" })
  test.equal(taken.census.by_name[NAME].status, "ok")
end)

test("a static scheme without a scale of the activations is named", function()
  local taken = take { config = block_config(3, 4, [[,"activation_scheme":"static"]]) }
  test.equal(made.facts(taken),
    { "companion " .. NAME .. " activation_scale: missing, wanted F32 or BF16 or F16 [scalar]" })
end)

test("packed rows of an odd number of values are named", function()
  local taken = take { tensors = { [NAME .. ".weight"] = tensor.zeros({ 5, 4 }, "int8"),
    [NAME .. ".weight_scale_inv"] = tensor.zeros({ 5, 1 }) } }
  test.equal(made.facts(taken),
    { "companion " .. NAME .. " weight: rows of 7 values, wanted an even number: two lie in a "
      .. "byte" })
end)

local VALUES = {
  { "a NaN", { { 0 / 0, 2 }, { 4, 1 } }, "weight_scale_inv: 1 not finite, wanted every scale a "
    .. "finite number" },
  { "a negative scale", { { -1, 2 }, { 4, 1 } },
    "weight_scale_inv: a negative scale, -1, wanted scales >= 0" },
}

for _, case in ipairs(VALUES) do
  test(case[1] .. " among the scales is named", function()
    local taken = take { tensors = { [NAME .. ".weight_scale_inv"] = tensor.from(case[2]) } }
    test.equal(made.value_problems(taken, NAME), { case[3] })
  end)
end

test("a scale of 0 is named where codes lie under it, and only there", function()
  local function problems(f)
    return made.value_problems(take { tensors = { [NAME .. ".weight"] = fp8(5, 7, f),
      [NAME .. ".weight_scale_inv"] = tensor.from { { 1, 2 }, { 4, 0 } } } }, NAME)
  end
  test.equal(problems(function(r, c) return r >= 3 and c >= 4 and 128 or 3 end), {})
  test.equal(problems(function(r, c) return r == 3 and c == 6 and 1 or 0 end),
    { "weight_scale_inv: 0 over 1 codes that are not, wanted scales > 0" })
end)

test("codes of NaN are counted", function()
  local taken = take { tensors = { [NAME .. ".weight"] = fp8(5, 7, function(r)
    return r == 0 and 127 or r == 1 and 255 or 8
  end) } }
  test.equal(made.value_problems(taken, NAME), { "weight: 14 codes of NaN, wanted numbers" })
end)

test("float32 scales under ue8m0 must be powers of two", function()
  local config = block_config(3, 4, [[,"scale_fmt":"ue8m0"]])
  test.equal(made.value_problems(take { config = config }, NAME), {})
  local taken = take { config = config, tensors = { [NAME .. ".weight_scale_inv"] =
    tensor.from { { 1, 3 }, { 0.75, 2 } } } }
  test.equal(made.value_problems(taken, NAME), { "weight_scale_inv: 2 of 4 no powers of two, "
    .. "wanted powers of two, as scale_fmt ue8m0 says" })
end)

-- Configs -----------------------------------------------------------------------------------------

local HOSTILE = { "[0,128]", "[128]", "[128,-1]", "[1.5,2]", "[128,128,128]", '"128"',
  "[1e300,1]", '["a","b"]', "{}", "7", "[]" }

test("a block that is none is a finding, and the weights are read all the same", function()
  for _, block in ipairs(HOSTILE) do
    local taken = take { config = ([[{"quant_method":"fp8","weight_block_size":%s}]]):format(
      block), tensors = { [NAME .. ".weight_scale_inv"] = tensor.from { { 2 } } } }
    test.equal(taken.requested.layout, nil, block)
    test.ok(taken.requested.problem:find("weight_block_size", 1, true), block)
    test.equal(made.facts(taken), {}, block)
    test.equal(made.decoded(taken, NAME):tolist()[1][2], 2 * e4m3(code_at(0, 1)), block)
  end
end)

test("values that the fields do not allow are named", function()
  local taken = take { config = [[{"quant_method":"fp8","weight_block_size":[3,4],
    "activation_scheme":"clever","scale_fmt":3,"fmt":"e5m2","modules_to_not_convert":"lm_head"}]] }
  local keys = {}
  for i, problem in ipairs(taken.problems) do keys[i] = problem.key:match("[^.]*$") end
  test.equal(keys, { "activation_scheme", "fmt", "modules_to_not_convert", "scale_fmt" })
end)

test("a weight without a config has the block that its scales show", function()
  for _, case in ipairs { { { 1, 1 }, { 128, 128 } }, { { 5, 1 }, { 1, 128 } },
    { { 5, 7 }, { 1, 1 } }, { { 2, 2 }, { 3, 4 } } } do
    local taken = made.take { modules = { made.linear(NAME, 5, 7) }, tensors = {
      [NAME .. ".weight"] = fp8(5, 7), [NAME .. ".weight_scale_inv"] = tensor.zeros(case[1]) } }
    test.equal(taken.census.by_name[NAME].scheme.block, case[2])
    test.equal(made.facts(taken), {})
  end
end)
