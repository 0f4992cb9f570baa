-- BitNet: ternary rows, both senses of the scale, and each way to be wrong.

local made = require "synthetic_model"
local rare = require "rare_specimens"
local tensor = require "host.tensor"
local test = require "test"

local AUTO = '{"quant_method":"bitnet","linear_class":"autobitlinear","modules_to_not_convert":[]}'

local function code(bytes, r, c)
  return math.floor(bytes[(r - 1) % 2 + 1][c] / 4 ^ math.floor((r - 1) / 2)) % 4 - 1
end

local function expect(text, meant)
  local bytes
  local taken = rare.take("bitnet", function(t) bytes = t.weight:tolist() end, text)
  test.equal(made.facts(taken), {})
  local decoded = made.decoded(taken, rare.name):tolist()
  for r = 1, rare.out do
    for c = 1, rare.ins do test.equal(decoded[r][c], meant(code(bytes, r, c))) end
  end
  return taken.census.by_name[rare.name]
end

test("bitlinear divides by weight_scale, and holds packed buffers", function()
  local row = expect(nil, function(value) return value / 4 end)
  test.equal({ row.class, row.buffers.weight.shape, row.footprint },
    { "BitLinear", { 2, 64 }, 2 * 64 + 2 })
end)

test("autobitlinear multiplies by weight_scale, and unpacks on load", function()
  local row = expect(AUTO, function(value) return value * 4 end)
  test.equal({ row.class, row.parameters.weight.shape, row.footprint },
    { "AutoBitLinear", { 8, 64 }, 2 * 8 * 64 + 2 })
end)

test("weights that are rounded as the model runs are dense in the file", function()
  local taken = rare.take("bitnet", function(t)
    t.weight, t.weight_scale = tensor.zeros({ 8, 64 }, "bfloat16"), nil
  end, '{"quant_method":"bitnet","linear_class":"autobitlinear","quantization_mode":"online"}')
  test.equal(made.facts(taken), {})
end)

test("the fourth code is not ternary", function()
  local taken = rare.take("bitnet", function(t)
    t.weight = tensor.zeros({ 2, 64 }, "uint8") + 12
  end)
  test.equal(made.value_problems(taken, rare.name),
    { "weight: 128 bytes with the code 3, wanted 0, 1 or 2, for -1, 0 and 1" })
end)

test("a scale of zero, below zero or not finite", function()
  for _, value in ipairs { 0, -1, 1 / 0, 0 / 0 } do
    local taken = rare.take("bitnet", function(t) t.weight_scale = tensor.from { value } end)
    test.ok(made.value_problems(taken, rare.name)[1]:find("weight_scale", 1, true))
  end
end)

test("a scale on the other side of 1 than its linear_class", function()
  local taken = rare.take("bitnet", function(t) t.weight_scale = tensor.from { 0.001 } end)
  test.ok(made.silent(taken)[1]:find("bitlinear divides by it", 1, true))
  taken = rare.take("bitnet", function(t) t.weight_scale = tensor.from { 800 } end, AUTO)
  test.ok(made.silent(taken)[1]:find("autobitlinear multiplies by it", 1, true))
  test.equal(made.silent(rare.take "bitnet"), {})
end)
