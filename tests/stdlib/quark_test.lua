-- AMD Quark: its kinds of codes, patterns of layers, and each way to be wrong.

local made = require "synthetic_model"
local rare = require "rare_specimens"
local tensor = require "host.tensor"
local test = require "test"
local words = require "grouped_words"

local function config(weight, rest)
  return ('{"quant_method":"quark","global_quant_config":{"weight":%s},"exclude":[]%s}'):format(
    weight, rest or "")
end

test("int8: code times the scale of its row", function()
  test.equal(made.decoded(rare.take "quark", rare.name):tolist()[2][3],
    (rare.noise(2, 3) - 125) * 3 / 32)
end)

test("float8: one scale for the tensor", function()
  local taken = rare.take("quark", function(t)
    t.weight = (tensor.zeros({ 8, 64 }, "uint8") + 0x3C):view("float8_e4m3fn")
    t.weight_scale = tensor.from({ 0.5 }):reshape({})
  end, config '{"dtype":"fp8_e4m3","qscheme":"per_tensor"}')
  test.equal(made.facts(taken), {})
  test.equal(made.decoded(taken, rare.name):tolist()[8][64], 0.75)
end)

test("mxfp4: low nibbles first, exponents for scales", function()
  local taken = rare.take("quark", function(t)
    t.weight = tensor.zeros({ 8, 32 }, "uint8") + 0x52
    t.weight_scale = tensor.zeros({ 8, 2 }, "uint8") + 128
  end, config '{"dtype":"fp4","qscheme":"per_group","group_size":32}')
  test.equal(made.facts(taken), {})
  local row = made.decoded(taken, rare.name):tolist()[1]
  test.equal({ row[1], row[2] }, { 2, 6 })
end)

local ORDER = { 0, 2, 4, 6, 1, 3, 5, 7 }

-- Codes [ins][outs] in words of eight outputs, field k holding output ORDER[k].
local function packed(codes)
  local rows = {}
  for i, line in ipairs(codes) do
    local fields = {}
    for k = 1, 8 do fields[k] = line[ORDER[k] + 1] end
    rows[i] = fields
  end
  return words.rows(rows, 4)
end

test("uint4 in groups: transposed, in the order of pack_method, zero points likewise", function()
  local codes = words.matrix(64, 8, function(i, o) return rare.noise(i, o) % 16 end)
  local zeros = words.matrix(2, 8, function(g, o) return (g + o) % 16 end)
  local taken = rare.take("quark", function(t)
    t.weight, t.weight_zero_point = packed(codes), packed(zeros)
    t.weight_scale = tensor.from(words.matrix(2, 8, function(g, o) return (g + o + 1) / 16 end))
  end, config('{"dtype":"uint4","qscheme":"per_group","group_size":32}',
    ',"export":{"pack_method":"reorder"}'))
  test.equal(made.facts(taken), {})
  local decoded = made.decoded(taken, rare.name):tolist()
  for o = 1, 8 do
    for i = 1, 64 do
      local g = math.ceil(i / 32)
      test.equal(decoded[o][i], (codes[i][o] - zeros[g][o]) * (g + o - 1) / 16)
    end
  end
end)

local function reason(text)
  local request, why = rare.take("quark", nil, text).requests.of(made.linear(rare.name, 8, 64))
  return request and request.type or why
end

test("exclude is a list of patterns over whole names, a layer's own config goes first", function()
  local int8 = '{"dtype":"int8","qscheme":"per_channel"}'
  test.equal(reason(config(int8):gsub('"exclude":%[%]', '"exclude":["*up_proj"]')),
    "excluded by '*up_proj' (config)")
  test.equal(reason(config(int8):gsub('"exclude":%[%]', '"exclude":["up_proj"]')), "int8")
  test.equal(reason(config(int8, ',"layer_quant_config":{"*up_proj":{"weight":'
    .. '{"dtype":"fp8_e4m3"}}}')), "float8_e4m3")
  test.equal(reason(config(int8, ',"layer_quant_config":{"*up_proj":{"weight":null}}')),
    "its config has no weight spec")
end)

test("a weight dtype that is not known is a problem of the config", function()
  local taken = rare.take("quark", nil, config '{"dtype":"mx6"}')
  test.equal(taken.requested.problem, "global_quant_config: weight dtype 'mx6'")
end)

test("scales of zero and not finite", function()
  for value, found in pairs { [0] = "8 of 8 are 0", [1 / 0] = "8 not finite" } do
    local taken = rare.take("quark", function(t) t.weight_scale = tensor.zeros { 8 } + value end)
    test.ok(made.value_problems(taken, rare.name)[1]:find(found, 1, true))
  end
end)
