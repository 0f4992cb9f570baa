-- AWQ: what its three layouts stand for, which modules its config asks for, and ways to be wrong.

local awq = require "qspec.formats.awq"
local made = require "synthetic_model"
local tensor = require "host.tensor"
local test = require "test"
local words = require "grouped_words"

local NAME = "model.layers.0.mlp.up_proj"
local HEAD = "lm_head"
local ORDER = { 0, 2, 4, 6, 1, 3, 5, 7 }
local OUT, IN, GROUP = 16, 128, 64

local function parts(bits, o)
  o = o or {}
  local size = o.group or GROUP
  local outs = o.outs or OUT
  local groups = {}
  for i = 0, IN - 1 do groups[i + 1] = math.floor(i / size) end
  return { bits = bits, groups = groups,
    codes = words.matrix(outs, IN, function(r, c) return words.noise(r, c) % 2 ^ bits end),
    scales = words.matrix(IN / size, outs, function(g, r)
      return (1 + words.noise(g, r) % 9) / 64
    end),
    zeros = words.matrix(IN / size, outs, o.zero
      or function(g, r) return words.noise(r, g + 3) % 2 ^ bits end) }
end

-- Nibble k of a word holds column 8 * word + ORDER[k].
local function interleaved(row)
  local result = {}
  for word = 0, #row / 8 - 1 do
    for k = 1, 8 do result[8 * word + k] = row[8 * word + ORDER[k] + 1] end
  end
  return result
end

local function map(rows, f)
  local result = {}
  for i, row in ipairs(rows) do result[i] = f(row) end
  return result
end

local function transposed(rows)
  return words.matrix(#rows[1], #rows, function(r, c) return rows[c + 1][r + 1] end)
end

local function gemm(p)
  local order = p.bits == 4 and interleaved or function(row) return row end
  return {
    [NAME .. ".qweight"] = words.rows(map(transposed(p.codes), order), p.bits),
    [NAME .. ".qzeros"] = words.rows(map(p.zeros, order), p.bits),
    [NAME .. ".scales"] = tensor.from(p.scales, "float16"),
  }
end

local function padded(rows, width)
  return words.matrix(#rows, width, function(r, c) return rows[r + 1][c + 1] or 0 end)
end

local function gemv(p)
  local width = 16  -- two words: those of up to 16 groups of 64
  return {
    [NAME .. ".qweight"] = words.rows(p.codes, 4),
    [NAME .. ".qzeros"] = words.rows(padded(transposed(p.zeros), width), 4),
    [NAME .. ".scales"] = tensor.from(padded(transposed(p.scales), width), "float16"),
  }
end

-- The code of row r and input feature k lies in word [r / 4][64-block * 64 + p], field f.
local function fast_codes(codes)
  local rows = words.matrix(#codes / 4, #codes[1] * 4, function() return 0 end)
  for r = 0, #codes - 1 do
    for k = 0, #codes[1] - 1 do
      local chunk, a, b, d = math.floor(k % 64 / 32), math.floor(k % 32 / 8),
        math.floor(k % 8 / 2), k % 2
      local place = (r % 4) * 64 + chunk * 32 + b * 8 + d * 4 + a
      rows[math.floor(r / 4) + 1][math.floor(k / 64) * 256 + place + 1] = codes[r + 1][k + 1]
    end
  end
  return words.rows(rows, 4):view("int16")
end

local function scaled_zeros(p)
  return words.matrix(#p.zeros, #p.zeros[1], function(g, o)
    return -p.scales[g + 1][o + 1] * p.zeros[g + 1][o + 1]
  end)
end

local function fast(p, zeros_name)
  local function rows(values)
    local result = { unpack(values) }
    for g = #values + 1, 16 do result[g] = words.matrix(1, OUT, function() return 0 end)[1] end
    return tensor.from(result, "float16")
  end
  return { [NAME .. ".qweight"] = fast_codes(p.codes), [NAME .. ".scales"] = rows(p.scales),
    [NAME .. "." .. (zeros_name or "qzeros")] = rows(scaled_zeros(p)) }
end

local function config(rest)
  return ([[{"quant_method":"awq","bits":4,"group_size":%d%s}]]):format(GROUP, rest or "")
end

local function take(tensors, o)
  o = o or {}
  tensors[HEAD .. ".weight"] = tensor.zeros({ 4, IN }, "bfloat16")
  for name, value in pairs(o.tensors or {}) do tensors[name] = value end
  for _, name in ipairs(o.without or {}) do tensors[name] = nil end
  return made.take { modules = { made.linear(NAME, o.outs or OUT, IN), made.linear(HEAD, 4, IN) },
    tensors = tensors, config = o.config or config() }
end

local function expect_decoded(taken, p)
  test.equal(made.facts(taken), {})
  test.equal(made.decoded(taken, NAME):tolist(),
    words.decoded(p.codes, p.scales, p.zeros, p.groups))
  test.equal(made.value_problems(taken, NAME), {})
end

test("gemm: nibbles lie in an order of their own along the output features", function()
  local p = parts(4)
  expect_decoded(take(gemm(p)), p)
end)

for _, bits in ipairs { 2, 3, 8 } do
  test(("gemm of %d bits is a plain stream along the output features"):format(bits), function()
    local p = parts(bits, { outs = 32 })
    expect_decoded(take(gemm(p), { outs = 32,
      config = ([[{"quant_method":"awq","bits":%d,"group_size":64}]]):format(bits) }), p)
  end)
end

test("gemm with group_size -1 has one group", function()
  local p = parts(4, { group = IN })
  local taken = take(gemm(p), { config = [[{"quant_method":"awq","bits":4,"group_size":-1}]] })
  expect_decoded(taken, p)
end)

test("gemv: nibbles lie along the input features, scales and zero points are padded", function()
  local p = parts(4)
  local taken = take(gemv(p), { config = config [[,"version":"GEMV"]] })
  expect_decoded(taken, p)
  test.equal(taken.census.by_name[NAME].class, "AwqGEMVLinear")
end)

test("gemv_fast: four rows in words of 16 bits, zero points scaled", function()
  local p = parts(4)
  local taken = take(fast(p), { config = config [[,"version":"gemv_fast"]] })
  expect_decoded(taken, p)
  test.equal(taken.census.by_name[NAME].class, "AwqGEMVFastLinear")
end)

test("llm-awq is gemv_fast with another name for the zero points", function()
  local p = parts(4)
  local taken = take(fast(p, "scaled_zeros"), { config = config [[,"version":"llm-awq"]] })
  expect_decoded(taken, p)
  test.equal(taken.census.by_name[NAME].class, "LLMAwqLinear")
end)

test("scales of bfloat16 count as float16 once loaded, biases too", function()
  local p = parts(4)
  local tensors = gemm(p)
  tensors[NAME .. ".scales"] = tensor.from(p.scales, "bfloat16")
  local row = take(tensors).census.by_name[NAME]
  test.equal(row.buffers.scales.dtype, "float16")
  test.equal(row.footprint, IN * OUT / 2 + 2 * OUT / 2 + 2 * 2 * OUT)
end)

-- Ways to be wrong --------------------------------------------------------------------------------

test("a companion that is missing or of another size is named", function()
  test.equal(made.facts(take(gemm(parts(4)), { without = { NAME .. ".qzeros" } })),
    { "companion " .. NAME .. " qzeros: missing, wanted I32 [2 x 2]" })
  test.equal(made.facts(take(gemm(parts(4)), { without = { NAME .. ".qweight" } })),
    { "companion " .. NAME .. " qweight: missing, wanted I32 [128 x 2]" })
  test.equal(made.facts(take(gemm(parts(4)), { tensors = {
    [NAME .. ".qweight"] = tensor.zeros({ IN - 1, 2 }, "int32") } })),
    { "companion " .. NAME .. " qweight: I32 [127 x 2], wanted I32 [128 x 2]" })
end)

test("a group size that does not divide the input features is a finding", function()
  local found = made.facts(take(gemm(parts(4)),
    { config = [[{"quant_method":"awq","bits":4,"group_size":48}]] }))
  test.equal(found, {})  -- the shapes speak for 64, which the check `quantized` holds against 48
  local cut = made.facts(take({ [NAME .. ".qweight"] = tensor.zeros({ IN, 2 }, "int32"),
    [NAME .. ".qzeros"] = tensor.zeros({ 3, 2 }, "int32"),
    [NAME .. ".scales"] = tensor.zeros({ 3, OUT }, "float16") },
    { config = [[{"quant_method":"awq","bits":4,"group_size":40}]] }))
  test.equal(cut, { "companion " .. NAME .. " group_size: 128 input features in groups of 40, "
    .. "wanted a group size that divides them" })
end)

test("scales are finite, positive and not lost", function()
  local function problems(value)
    local p = parts(4)
    p.scales[2][5] = value
    return made.value_problems(take(gemm(p)), NAME)
  end
  test.equal(problems(0 / 0), { "scales: 1 not finite, wanted every scale a finite number" })
  test.equal(problems(-1), { "scales: a negative scale, -1, wanted scales >= 0" })
  test.equal(problems(0), { "scales: 0 over 1 of 32 groups that hold codes, "
    .. "wanted scales > 0 wherever a group is not constant" })
end)

test("the padding of gemv's scales is no lost scale", function()
  local p = parts(4)
  local taken = take(gemv(p), { config = config [[,"version":"gemv"]] })
  test.equal(made.value_problems(taken, NAME), {})
end)

test("zero_point false means zero points in the middle", function()
  local function problems(zero)
    local p = parts(4, { zero = function() return zero end })
    return made.value_problems(take(gemm(p), { config = config [[,"zero_point":false]] }), NAME)
  end
  test.equal(problems(8), {})
  test.equal(problems(7),
    { "qzeros: 32 zero points other than 8, wanted 8 everywhere, as zero_point false says" })
end)

-- Which modules -----------------------------------------------------------------------------------

local function reasons(text, names)
  local modules, found = {}, {}
  for i, name in ipairs(names) do modules[i] = made.linear(name, OUT, IN) end
  local taken = made.take { modules = modules, tensors = {}, config = text }
  for i, module in ipairs(modules) do
    local request, reason = taken.requests.of(module)
    found[i] = request and request.bits or reason
  end
  return found
end

test("a list of the config is added to the defaults", function()
  test.equal(reasons(config [=[,"modules_to_not_convert":["visual"]]=],
    { "model.layers.0.mlp.up_proj", "visual.fc", "lm_head" }),
    { 4, "excluded by 'visual' (config)", "excluded by 'lm_head' (architecture)" })
end)

test("rules of dynamic count, as GPTQModel writes them", function()
  test.equal(reasons(config [[,"dynamic":{"-:.*gate":{},"+:.*down":{"bits":8}}]],
    { "model.layers.0.mlp.gate", "model.layers.0.mlp.down", "lm_head" }),
    { "excluded by '-:.*gate' (config)", 8, "excluded by 'lm_head' (architecture)" })
end)

local function problem(text)
  return made.take({ modules = {}, tensors = {}, config = text }).requested.problem
end

test("hostile numbers and unknown versions are problems, not errors", function()
  for _, rest in ipairs { [["bits":0]], [["bits":-4]], [["bits":1e300]], [["bits":4.5]],
      [["bits":"4"]], [["group_size":0]], [["group_size":-2]], [["group_size":1e300]],
      [["group_size":"all"]], [["version":"exllama"]], [["version":5]],
      [["version":"gemv","bits":8]], [["version":"gemv","group_size":48]] } do
    test.equal(problem([[{"quant_method":"awq",]] .. rest .. "}") ~= nil, true, rest)
  end
end)

test("quant_config.json of AutoAWQ has names of its own", function()
  local config_of, kinds = awq.files["quant_config.json"]({ w_bit = 4, q_group_size = 128,
    zero_point = true, version = "GEMM" }, { w_bit = "integer" })
  test.equal(config_of, { quant_method = "awq", bits = 4, group_size = 128, zero_point = true,
    version = "GEMM" })
  test.equal(kinds.bits, "integer")
end)
