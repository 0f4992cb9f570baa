-- MLX and Metal: affine words and small floats, overrides module by module, each way to be wrong.

local json = require "host.json"
local made = require "synthetic_model"
local rare = require "rare_specimens"
local tensor = require "host.tensor"
local quantization_config = require "qspec.quantization_config"
local Subject = require "qspec.subject"
local test = require "test"

local function expect_affine(format, offsets)
  local bytes, scales, shifts
  local taken = rare.take(format, function(t)
    t.weight, bytes = rare.filled(8, 32, "uint8")
    t.weight = t.weight:view("uint32")
    t.scales, scales = rare.filled(8, 2, "float32", function(r, g) return (r - 2 * g) / 16 end)
    t[offsets], shifts = rare.filled(8, 2, "float32", function(r, g) return (g - r) / 4 end)
  end)
  test.equal(made.facts(taken), {})
  local decoded = made.decoded(taken, rare.name):tolist()
  for r = 1, 8 do
    for c = 1, 64 do
      local byte, g = bytes[r][math.ceil(c / 2)], math.ceil(c / 32)
      local code = c % 2 == 1 and byte % 16 or math.floor(byte / 16)
      test.equal(decoded[r][c], code * scales[r][g] + shifts[r][g])
    end
  end
end

test("mlx: code times scale plus bias, a scale may be negative", function()
  expect_affine("mlx", "biases")
end)

test("metal: code times scale plus qbias", function()
  expect_affine("metal", "qbiases")
end)

test("mlx: 3 bits are one stream along the row", function()
  local bytes
  local taken = rare.take("mlx", function(t)
    t.weight, bytes = rare.filled(8, 24, "uint8")
    t.weight = t.weight:view("uint32")
    t.scales, t.biases = tensor.zeros({ 8, 2 }) + 1, tensor.zeros { 8, 2 }
  end, '{"group_size":32,"bits":3}')
  test.equal(made.facts(taken), {})
  local decoded = made.decoded(taken, rare.name):tolist()
  for r = 1, 8 do
    for c = 0, 63 do
      local first = 3 * c
      local low = bytes[r][math.floor(first / 8) + 1]
      local high = bytes[r][math.floor(first / 8) + 2] or 0
      test.equal(decoded[r][c + 1], math.floor((low + 256 * high) / 2 ^ (first % 8)) % 8)
    end
  end
end)

local function float_specimen(mode, groups, scale)
  return rare.take("mlx", function(t)
    t.weight = (tensor.zeros({ 8, mode == "mxfp8" and 64 or 32 }, "uint8") + 0x38):view("uint32")
    t.scales, t.biases = tensor.zeros({ 8, groups }, "uint8") + scale, nil
  end, ('{"group_size":%d,"bits":4,"mode":"%s"}'):format(64 / groups, mode))
end

test("mlx: mxfp4 and mxfp8 have exponents for scales, nvfp4 e4m3", function()
  for mode, case in pairs { mxfp4 = { 2, 128, { -0.0, 3 } }, mxfp8 = { 2, 128, { 2, 2 } },
      nvfp4 = { 4, 0x40, { -0.0, 3 } } } do
    local taken = float_specimen(mode, case[1], case[2])
    test.equal(made.facts(taken), {}, mode)
    local row = made.decoded(taken, rare.name):tolist()[1]
    test.equal({ row[1], row[2] }, case[3], mode)
  end
end)

test("mlx: a scale that is no number", function()
  test.ok(made.value_problems(float_specimen("mxfp4", 2, 255), rare.name)[1]:find("not finite"))
end)

test("mlx: the config's own words for a module win, false leaves it alone", function()
  local taken = rare.take("mlx", nil, json.encode { group_size = 64, bits = 8,
    [rare.name] = { group_size = 32, bits = 4 } })
  test.equal(made.facts(taken), {})
  taken = rare.take("mlx", nil, json.encode { group_size = 32, bits = 4, [rare.name] = false })
  test.ok(made.facts(taken)[1]:find("^unrequested"))
end)

test("mlx: bits and group size are told apart by the columns of the module", function()
  local taken = rare.take("mlx", nil, '{"group_size":64,"bits":2}')
  local scheme = taken.census.by_name[rare.name].scheme
  test.equal({ scheme.bits, scheme.group_size }, { 4, 32 })
end)

test("mlx: an override for a module that is not there", function()
  local taken = rare.take("mlx", nil, '{"group_size":32,"bits":4,"model.gone":{"bits":8}}')
  test.equal(made.silent(taken), { "- model.gone: an override for a module that is not there, "
    .. "wanted a module of the model" })
end)

test("metal: dequantize on load, bits and groups that Metal refuses are problems", function()
  for _, rest in ipairs { '"dequantize":true', '"bits":3', '"group_size":0' } do
    local taken = rare.take("metal", nil, '{"quant_method":"metal",' .. rest .. "}")
    test.ok(taken.requested.problem, rest)
  end
end)

test("scales that are lost over groups that hold codes", function()
  local taken = rare.take("mlx", function(t) t.scales = tensor.zeros { 8, 2 } end)
  test.ok(made.value_problems(taken, rare.name)[1]:find("0 over 16 of 16 groups", 1, true))
end)

test("mlx: a config without quant_method is known by its keys", function()
  test.equal(quantization_config.method { group_size = 64, bits = 4 }, "mlx")
  test.equal(quantization_config.method { bits = 4 }, nil)
  local subject = Subject.new { name = "made", config = { model_type = "bloom",
    quantization = { group_size = 32, bits = 4 } } }
  test.equal(subject.format.name, "mlx")
end)
