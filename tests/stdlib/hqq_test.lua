-- HQQ: what its weights stand for, which modules its tags ask for, and each way to be wrong.

local made = require "synthetic_model"
local rare = require "rare_specimens"
local tensor = require "host.tensor"
local test = require "test"

local function config(params, rest)
  return ('{"quant_method":"hqq","quant_config":%s,"skip_modules":[%s]}'):format(params, rest or "")
end

local FOUR = '{"weight_quant_params":{"nbits":4,"group_size":32,"axis":1}}'

test("4 bits: the first half of the groups lies in the high nibbles", function()
  local bytes, scale, zero
  local taken = rare.take("hqq", function(t)
    t.W_q, bytes = rare.filled(8, 32, "uint8")
    t.scale, scale = rare.filled(16, 1, "float16", function(g) return g / 8 end)
    t.zero, zero = rare.filled(16, 1, "float16", function(g) return g / 2 end)
  end)
  local decoded = made.decoded(taken, rare.name):tolist()
  for group = 1, 16 do
    for i = 1, 32 do
      local byte = bytes[(group - 1) % 8 + 1][i]
      local code = group <= 8 and math.floor(byte / 16) or byte % 16
      local flat = (group - 1) * 32 + i - 1
      test.equal(decoded[math.floor(flat / 64) + 1][flat % 64 + 1],
        (code - zero[group][1]) * scale[group][1])
    end
  end
end)

test("axis 0: the groups are columns of the reshaped weight, and straddle rows", function()
  local bytes, scale, zero
  local taken = rare.take("hqq", function(t)
    t.W_q, bytes = rare.filled(16, 16, "uint8")
    t.scale, scale = rare.filled(1, 16, "float16", function(_, g) return g / 8 end)
    t.zero, zero = rare.filled(1, 16, "float16", function(_, g) return g / 2 end)
    t.axis = tensor.from({ 0 }, "int32"):reshape({})
  end)
  test.equal(made.facts(taken), {})
  local decoded = made.decoded(taken, rare.name):tolist()
  for i = 1, 32 do
    for group = 1, 16 do
      local byte = bytes[(i - 1) % 16 + 1][group]
      local code = i <= 16 and math.floor(byte / 16) or byte % 16
      local flat = (i - 1) * 16 + group - 1
      test.equal(decoded[math.floor(flat / 64) + 1][flat % 64 + 1],
        (code - zero[1][group]) * scale[1][group])
    end
  end
end)

test("to transformers it is a Linear in full precision, which nothing fills", function()
  local taken = rare.take "hqq"
  local row = taken.census.by_name[rare.name]
  test.equal({ row.class, row.footprint }, { "Linear", 2 * 8 * 64 })
  test.equal(made.silent(taken), { rare.name .. " W_q: HQQ tensors of 1 modules, which "
    .. "transformers 5.17 does not read, wanted weights that the loader reads" })
end)

local function reason(text)
  local taken = rare.take("hqq", nil, text)
  local request, why = taken.requests.of(made.linear(rare.name, 8, 64))
  return request and request.bits or why
end

test("skip_modules are linear tags, compared whole", function()
  test.equal(reason(config(FOUR, '"mlp.up_proj"')), "excluded by 'mlp.up_proj' (config)")
  test.equal(reason(config(FOUR, '"up_proj"')), 4)
end)

test("settings by tag: a tag that is not named stays dense", function()
  test.equal(reason(config('{"mlp.up_proj":' .. FOUR .. "}")), 4)
  test.equal(reason(config('{"mlp.down_proj":' .. FOUR .. "}")),
    "quant_config does not name 'mlp.up_proj'")
end)

test("settings that contradict each other or the module", function()
  local cases = {
    nbits = { tensor.from({ 5 }, "int32"):reshape({}), "nbits: 5, wanted 1, 2, 3, 4 or 8" },
    axis = { tensor.from({ 2 }, "int32"):reshape({}), "axis: 2, wanted 0 or 1" },
    packing = { tensor.from({ ("2bit_u8"):byte(1, -1) }, "uint8"),
      "packing: '2bit_u8', wanted '4bit_u8', as nbits says" },
    shape = { tensor.from({ 64, 8 }, "int64"), "shape: 64 x 8, wanted 8 x 64" },
    group_size = { tensor.from({ 48 }, "int32"):reshape({}), "group_size: 48, wanted a divisor" },
  }
  for suffix, case in pairs(cases) do
    local taken = rare.take("hqq", function(t) t[suffix] = case[1] end)
    test.ok(table.concat(made.facts(taken), "\n"):find(case[2], 1, true), suffix)
  end
end)

test("scales that are lost", function()
  for value, words in pairs { [0] = "16 of 16 are 0", [1 / 0] = "16 not finite" } do
    local taken = rare.take("hqq", function(t)
      t.scale = tensor.zeros({ 16, 1 }, "float16") + value
    end)
    test.ok(made.value_problems(taken, rare.name)[1]:find(words, 1, true))
  end
end)
