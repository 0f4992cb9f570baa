-- compressed-tensors: weights decoded by hand, and one way to be wrong after another.

local format = require "qspec.formats.compressed_tensors"
local json = require "host.json"
local omissions = require "qspec.omissions"
local quantization_config = require "qspec.quantization_config"
local synthetic = require "synthetic_model"
local tensor = require "host.tensor"
local test = require "test"

local NAME = "layers.0.proj"

local function noise(a, b)
  return (a * 7919 + b * 104729 + a * b * 31) % 1009
end

local function matrix(rows, columns, f)
  local result = {}
  for r = 1, rows do
    result[r] = {}
    for c = 1, columns do result[r][c] = f(r - 1, c - 1) end
  end
  return result
end

-- Rows of codes as 32-bit words, one bit after the other.
local function packed(codes, bits)
  local columns = #codes[1]
  local words = math.ceil(columns * bits / 32)
  return tensor.from(matrix(#codes, words, function(r, w)
    local word = 0
    for i = 31, 0, -1 do
      local at = 32 * w + i
      local code = codes[r + 1][math.floor(at / bits) + 1] or 0
      word = word * 2 + math.floor(code / 2 ^ (at % bits)) % 2
    end
    return word >= 2 ^ 31 and word - 2 ^ 32 or word
  end), "int32")
end

local function transposed(list)
  return matrix(#list[1], #list, function(r, c) return list[c + 1][r + 1] end)
end

local function config(weights, more, top)
  local group = { targets = { "Linear" }, weights = weights }
  for key, value in pairs(more or {}) do group[key] = value end
  local raw = { quant_method = "compressed-tensors", format = "mixed-precision",
    quantization_status = "compressed", config_groups = { group_0 = group },
    ignore = json.array { "lm_head" } }
  for key, value in pairs(top or {}) do raw[key] = value end
  return json.encode(raw)
end

local function int4(more)
  local args = { num_bits = 4, type = "int", strategy = "group", group_size = 8, symmetric = true }
  for key, value in pairs(more or {}) do args[key] = value end
  return args
end

local function named(tensors)
  local result = {}
  for suffix, value in pairs(tensors) do result[NAME .. "." .. suffix] = value end
  return result
end

local function take(out, ins, tensors, text, dtype)
  return synthetic.take { modules = { synthetic.linear(NAME, out, ins) }, tensors = named(tensors),
    config = text, dtype = dtype }
end

-- A weight of 6 x 16 in groups of 8, with everything that it needs.
local function good(bits)
  local codes = matrix(6, 16, function(o, i) return noise(o, i) % 2 ^ (bits or 4) end)
  local scales = matrix(6, 2, function(o, g) return (1 + noise(o, g) % 7) / 8 end)
  return { weight_packed = packed(codes, bits or 4), weight_scale = tensor.from(scales, "bfloat16"),
    weight_shape = tensor.from({ 6, 16 }, "int64") }, codes, scales
end

test("decodes packed integers of every width, fields straddling words", function()
  for bits = 1, 8 do
    local tensors, codes, scales = good(bits)
    local taken = take(6, 16, tensors, config(int4 { num_bits = bits }))
    test.equal(synthetic.facts(taken), {}, bits .. " bits")
    test.equal(synthetic.decoded(taken, NAME):tolist(), matrix(6, 16, function(o, i)
      return (codes[o + 1][i + 1] - 2 ^ (bits - 1)) * scales[o + 1][math.floor(i / 8) + 1]
    end), bits .. " bits")
  end
end)

test("subtracts zero points that are packed along the rows", function()
  local tensors, codes, scales = good(3)
  local zeros = matrix(6, 2, function(o, g) return noise(g + 4, o) % 8 end)
  tensors.weight_zero_point = packed(transposed(zeros), 3):t():contiguous()
  local taken = take(6, 16, tensors, config(int4 { num_bits = 3, symmetric = false }))
  test.equal(synthetic.facts(taken), {})
  test.equal(synthetic.decoded(taken, NAME):tolist(), matrix(6, 16, function(o, i)
    local g = math.floor(i / 8) + 1
    return (codes[o + 1][i + 1] - zeros[o + 1][g]) * scales[o + 1][g]
  end))
end)

test("decodes int8 rows, blocks and one scale", function()
  local codes = matrix(5, 6, function(o, i) return noise(o, i) % 256 - 128 end)
  local grids = {
    { { strategy = "channel" }, { 5, 1 }, function(o) return o + 1, 1 end },
    { { strategy = "tensor" }, { 1 }, function() return 1, 1 end },
    { { strategy = "block", block_structure = json.array { 2, 4 } }, { 3, 2 }, function(o, i)
      return math.floor(o / 2) + 1, math.floor(i / 4) + 1
    end },
  }
  for _, grid in ipairs(grids) do
    local args, shape, place = grid[1], grid[2], grid[3]
    args.num_bits, args.type = 8, "int"
    local scales = matrix(shape[1], shape[2] or 1, function(a, b) return 2 ^ -(a + 2 * b) end)
    local taken = take(5, 6, { weight = tensor.from(codes, "int8"),
      weight_scale = tensor.from(scales, "float16"):reshape(shape) },
      config(args, { format = "naive-quantized" }))
    test.equal(synthetic.facts(taken), {}, args.strategy)
    test.equal(synthetic.decoded(taken, NAME):tolist(), matrix(5, 6, function(o, i)
      local r, c = place(o, i)
      return codes[o + 1][i + 1] * scales[r][c]
    end), args.strategy)
  end
end)

local E2M1 = { 0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6 }

local function nibbles(codes)
  return tensor.from(matrix(#codes, #codes[1] / 2, function(r, c)
    return codes[r + 1][2 * c + 1] + 16 * codes[r + 1][2 * c + 2]
  end), "uint8")
end

local NVFP4 = { num_bits = 4, type = "float", strategy = "tensor_group", group_size = 16 }

local function nvfp4()
  local codes = matrix(3, 32, function(o, i) return noise(o, i) % 16 end)
  local scales = matrix(3, 2, function(o, g) return 2 ^ (o - g) end)
  return { weight_packed = nibbles(codes), weight_global_scale = tensor.from { 4 },
    weight_scale = tensor.from(scales):to("float8_e4m3fn") }, codes, scales
end

test("divides the scales of nvfp4 by the global one", function()
  local tensors, codes, scales = nvfp4()
  local taken = take(3, 32, tensors, config(NVFP4))
  test.equal(synthetic.facts(taken), {})
  test.equal(synthetic.decoded(taken, NAME):tolist(), matrix(3, 32, function(o, i)
    return E2M1[codes[o + 1][i + 1] + 1] * scales[o + 1][math.floor(i / 16) + 1] / 4
  end))
end)

test("decodes mxfp4, mxfp6 and mxfp8 with exponents for scales", function()
  local exponents = tensor.from({ { 126 }, { 129 } }, "uint8")
  local codes = matrix(2, 32, function(o, i) return noise(o, i) % 16 end)
  local mx = { num_bits = 4, type = "float", strategy = "group", group_size = 32,
    scale_dtype = "torch.uint8" }
  local taken = take(2, 32, { weight_packed = nibbles(codes), weight_scale = exponents },
    config(mx))
  test.equal(synthetic.facts(taken), {})
  test.equal(synthetic.decoded(taken, NAME):tolist(), matrix(2, 32, function(o, i)
    return E2M1[codes[o + 1][i + 1] + 1] * (o == 0 and 0.5 or 4)
  end))
  mx.num_bits = 6
  codes = matrix(2, 32, function(_, i) return i + 32 * (i % 2) end)
  local six = tensor.pack_stream(tensor.from(codes, "uint8"), 6)
  taken = take(2, 32, { weight_packed = six, weight_scale = exponents }, config(mx))
  test.equal(synthetic.facts(taken), {})
  local values = synthetic.decoded(taken, NAME):tolist()
  test.equal({ values[1][2], values[1][9], values[1][32], values[2][32] },
    { -0.0625, 0.5, -3.75, -30 })
  mx.num_bits = 8
  taken = take(2, 32, { weight_scale = exponents,
    weight = tensor.from(matrix(2, 32, function(_, i) return i end)):to("float8_e4m3fn") },
    config(mx))
  test.equal(synthetic.facts(taken), {})
  test.equal(synthetic.decoded(taken, NAME):tolist()[2][8], 28)
  test.equal(taken.census.by_name[NAME].scheme.type, "mxfp8")
end)

test("reads a checkpoint without a config by its tensors", function()
  local tensors, codes, scales = good(4)
  local taken = take(6, 16, tensors)
  test.equal(synthetic.decoded(taken, NAME):tolist(), matrix(6, 16, function(o, i)
    return (codes[o + 1][i + 1] - 8) * scales[o + 1][math.floor(i / 8) + 1]
  end))
end)

-- Ways to be wrong --------------------------------------------------------------------------------

local function facts_of(change, args, more)
  local tensors = good(4)
  change(tensors)
  return synthetic.facts(take(6, 16, tensors, config(int4(args), more)))
end

local function contains(list, text)
  for _, one in ipairs(list) do
    if one:find(text, 1, true) then return end
  end
  test.equal(list, { text })
end

test("names a companion that is missing, too many or of another shape", function()
  contains(facts_of(function(t) t.weight_scale = nil end), NAME .. " weight_scale: missing")
  contains(facts_of(function(t) t.weight_shape = nil end), NAME .. " weight_shape: missing")
  contains(facts_of(function(t) t.weight_packed = nil end), NAME .. " weight_packed: missing")
  contains(facts_of(function() end, { symmetric = false }),
    NAME .. " weight_zero_point: missing, wanted I32 [1 x 2]")
  contains(facts_of(function(t) t.weight_zero_point = tensor.zeros({ 1, 2 }, "int32") end),
    NAME .. " weight_zero_point: I32 [1 x 2], wanted no such tensor")
  contains(facts_of(function(t) t.weight_scale = tensor.zeros({ 6, 3 }, "bfloat16") end),
    NAME .. " weight_scale: BF16 [6 x 3], wanted BF16 or F16 or F32 [6 x 2]")
  contains(facts_of(function(t) t.weight_shape = tensor.from({ 6, 15 }, "int64") end),
    NAME .. " weight_shape: 6 x 15, wanted 6 x 16")
  contains(facts_of(function() end, nil, { input_activations = { num_bits = 8,
    strategy = "tensor" } }), NAME .. " input_scale: missing")
end)

test("names groups that do not divide the rows", function()
  contains(facts_of(function(t) t.weight_scale = tensor.zeros({ 6, 3 }, "bfloat16") end,
    { group_size = 6 }), NAME .. " weight_scale: rows of 16 values, wanted a multiple of 6")
end)

test("tells the width and the groups of the tensors from those of the config", function()
  local row = take(6, 16, (good(8)), config(int4())).census.by_name[NAME]
  test.equal({ row.request.bits, row.scheme.bits }, { 4, 8 })
  local tensors = good(4)
  tensors.weight_scale = tensor.zeros({ 6, 4 }, "bfloat16")
  row = take(6, 16, tensors, config(int4())).census.by_name[NAME]
  test.equal({ row.request.group_size, row.scheme.group_size }, { 8, 4 })
end)

test("finds a module that stayed dense, and one that was packed in spite of the ignore list",
  function()
    local dense = { weight = tensor.zeros({ 6, 16 }, "bfloat16") }
    contains(synthetic.facts(take(6, 16, dense, config(int4()))), "fell_back " .. NAME)
    local text = config(int4(), nil, { ignore = json.array { "re:.*proj" } })
    contains(synthetic.facts(take(6, 16, (good(4)), text)), "unrequested " .. NAME)
  end)

local function value_problems(change, args, tensors)
  tensors = tensors or good(4)
  change(tensors)
  return synthetic.value_problems(take(6, 16, tensors, config(args or int4())), NAME)
end

test("finds scales that were lost", function()
  test.equal(value_problems(function() end), {})
  contains(value_problems(function(t) t.weight_scale = tensor.zeros({ 6, 2 }, "bfloat16") end),
    "weight_scale: 0 over 12 of 12 groups that hold codes")
  contains(value_problems(function(t)
    t.weight_scale = tensor.from(matrix(6, 2, function(o) return o == 3 and 0 / 0 or 1 end))
  end), "weight_scale: 2 not finite")
  contains(value_problems(function(t) t.weight_scale = t.weight_scale * -1 end),
    "weight_scale: a negative scale")
end)

test("finds scales of 0 under bytes and nibbles, a global scale of 0, and codes out of range",
  function()
    local args = { num_bits = 4, type = "int", strategy = "channel" }
    local taken = take(6, 16, { weight = tensor.zeros({ 6, 16 }, "int8") + 9,
      weight_scale = tensor.zeros({ 6, 1 }) }, config(args, { format = "naive-quantized" }))
    test.equal(synthetic.value_problems(taken, NAME), {
      "weight: 96 codes of more than 4 bits, wanted codes from -8 to 7",
      "weight_scale: 0 over 96 codes that are not, wanted scales > 0" })
    local tensors = nvfp4()
    tensors.weight_global_scale = tensor.zeros { 1 }
    tensors.weight_scale = tensor.zeros { 3, 2 }:to("float8_e4m3fn")
    local problems = synthetic.value_problems(take(3, 32, tensors, config(NVFP4)), NAME)
    contains(problems, "weight_global_scale: 0, wanted a scale > 0")
    contains(problems, "weight_scale: 0 over")
  end)

test("finds e4m3 codes that are no numbers", function()
  local taken = take(1, 4, { weight = tensor.from({ { 1, 127, 255, 3 } }, "uint8")
    :view("float8_e4m3fn"), weight_scale = tensor.from { 1 } },
    config({ num_bits = 8, type = "float", strategy = "tensor" }))
  test.equal(synthetic.value_problems(taken, NAME), { "weight: 2 codes of NaN, wanted numbers" })
end)

test("finds a weight that is stored in another format than its group's", function()
  local text = config(int4(), { format = "int-quantized" })
  contains(synthetic.facts(take(6, 16, (good(4)), text)),
    NAME .. " format: stored as ct-packed, wanted ct-plain")
  local plain = { weight = tensor.zeros({ 6, 16 }, "int8"),
    weight_scale = tensor.zeros({ 6, 2 }, "bfloat16") }
  contains(synthetic.facts(take(6, 16, plain, config(int4()))), NAME .. " weight_packed: missing")
end)

test("counts columns of no group where an old checkpoint has their order", function()
  contains(value_problems(function(t)
    t.weight_g_idx = tensor.from({ 0, 1, 2, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, -1 }, "int32")
  end), "weight_g_idx: 2 columns of no group")
end)

test("decodes an old checkpoint in the order of its columns, which the library drops", function()
  local tensors, codes, scales = good(4)
  local order = {}
  for i = 1, 16 do order[i] = noise(i, 3) % 2 end
  tensors.weight_g_idx = tensor.from(order, "int32")
  local taken = take(6, 16, tensors, config(int4()))
  contains(synthetic.facts(taken), NAME .. " weight_g_idx: an order of the columns")
  test.equal(synthetic.decoded(taken, NAME):tolist(), matrix(6, 16, function(o, i)
    return (codes[o + 1][i + 1] - 8) * scales[o + 1][order[i + 1] + 1]
  end))
end)

-- Configs -----------------------------------------------------------------------------------------

local function requested(text)
  local raw = json.decode(text, "config")
  return format.requested(quantization_config.read(format, raw))
end

local GROUP = "config_groups.group_0 "

test("refuses the configs that the library refuses, with the reason", function()
  local function problem(weights, more, top)
    return requested(config(weights, more, top)).problem
  end
  test.equal(problem(int4 { num_bits = 0 }), GROUP .. "weights num_bits is 0")
  test.equal(problem(int4 { num_bits = 1e300 }),
    GROUP .. "weights num_bits is 1e+300")
  test.equal(problem(int4 { num_bits = "4" }), GROUP .. "weights num_bits is '4'")
  test.equal(problem(int4 { group_size = -5 }), GROUP .. "weights group_size is -5")
  test.equal(problem(int4 { group_size = 2.5 }), GROUP .. "weights group_size is 2.5")
  test.equal(problem(int4 { group_size = 2 ^ 60 }),
    GROUP .. "weights group_size is 1.1529215046068e+18")
  test.equal(problem(int4 { strategy = "rows" }), GROUP .. "weights strategy is 'rows'")
  test.equal(problem(int4 { actorder = "group" }),
    GROUP .. "weights actorder is 'group', which was removed in 0.19")
  test.equal(problem(int4 { nbits = 4 }), GROUP .. "weights has the unknown key 'nbits'")
  test.equal(problem(int4(), { format = "marlin-24" }),
    GROUP .. "has format 'marlin-24', whose decompressor was dropped in 0.14")
  test.equal(problem(int4 { type = "float" }, { format = "naive-quantized" }),
    GROUP .. "asks for float 4-bit weights in format 'naive-quantized'")
  test.equal(problem(int4(), nil, { format = "sparse-24-bitmask" }), "format 'sparse-24-bitmask'")
  test.equal(problem(int4(), nil, { format = "pack-quantised" }), "format 'pack-quantised'")
  test.equal(problem(int4(), nil, { quantization_status = "frozen" }),
    "quantization_status 'frozen'")
  test.equal(problem(int4(), nil, { ignore = json.array { "re:(" } }),
    "ignore has a bad entry: 're:(' is no regular expression")
  test.equal(problem(int4(), nil, { config_groups = "W4A16" }), "config_groups is no object")
  test.equal(problem(int4(), nil, { config_groups = {} }), "config_groups without a group")
end)

local function request_names(text, modules)
  local raw = json.decode(text, "config")
  local values = quantization_config.read(format, raw)
  local asked = format.requests { values = values, modules = modules, format = format,
    requested = format.requested(values), architecture = { name = "made", tied = {} } }
  local names = {}
  for i, module in ipairs(modules) do
    local request = asked.of(module)
    names[i] = request and request.type or "dense"
  end
  return names
end

test("takes the target by exact name before a pattern before a class", function()
  local groups = {
    a = { targets = json.array { "Linear" }, weights = { num_bits = 8, strategy = "channel" } },
    b = { targets = json.array { "re:.*q_proj" }, weights = int4() },
    c = { targets = json.array { "layers.1.q_proj" }, weights = int4 { num_bits = 2 } } }
  local modules = {}
  for i, name in ipairs { "layers.0.q_proj", "layers.1.q_proj", "layers.0.k_proj", "lm_head" } do
    modules[i] = synthetic.linear(name, 8, 8)
  end
  test.equal(request_names(config(nil, nil, { config_groups = groups }), modules),
    { "int4", "int2", "int8", "dense" })
end)

test("reads a preset by its name", function()
  local text = config(nil, nil, { config_groups = { W8A8 = json.array { "Linear" } } })
  local asked = requested(text)
  test.equal({ asked.type, asked.scheme.strategy, asked.scheme.inputs.strategy },
    { "int8", "channel", "token" })
end)

test("lists the scales of the KV cache as parameters of the model", function()
  local text = config(int4(), nil, { kv_cache_scheme = { num_bits = 8, type = "float",
    strategy = "attn_head", dynamic = false } })
  local values = quantization_config.read(format, json.decode(text, "config"))
  local modules = format.modules({ synthetic.linear("l.self_attn.k_proj", 8, 8) }, values,
    { num_attention_heads = 4, num_key_value_heads = 2 })
  test.equal({ #modules, modules[2].name, modules[3].name, modules[3].shape },
    { 3, "l.self_attn.k_scale", "l.self_attn.v_scale", { 2, 1, 1 } })
end)

local function omitted(more, top)
  local taken = take(6, 16, (good()), config(int4(), more, top))
  return omissions.of { census = taken.census, format = format,
    quantization_values = quantization_config.read(format, json.decode(config(int4(), more, top),
      "config")) }
end

test("says which rounding of activations a run leaves out, and nothing where it leaves out none",
  function()
    test.equal(omitted(), {})
    test.equal(omitted { input_activations = { num_bits = 8, type = "int", strategy = "token",
      dynamic = true } }, {})
    test.equal(omitted { input_activations = { num_bits = 8, type = "float", strategy = "group",
      group_size = 8, dynamic = false } }, { "not modelled: 1 module, " .. NAME .. " first: their "
      .. "inputs are not rounded (float of 8 bits, strategy group, stored scales)" })
    test.equal(omitted { output_activations = { num_bits = 8, type = "int", strategy = "tensor",
      dynamic = true } }, { "not modelled: 1 module, " .. NAME .. " first: their outputs are not "
      .. "rounded (int of 8 bits, strategy tensor, dynamic scales)" })
    test.equal(omitted(nil, { kv_cache_scheme = { num_bits = 8, type = "float",
      strategy = "tensor", dynamic = false } }),
      { "not modelled: keys and values of the cache are not rounded" })
  end)

test("names the formats that nothing decodes", function()
  local taken = take(6, 16, { compressed = tensor.zeros { 12 }, bitmask = tensor.zeros({ 6, 2 },
    "uint8"), row_offsets = tensor.zeros({ 6, 1 }, "int64"), shape = tensor.zeros({ 2 }, "int64") },
    config(int4(), nil, { format = "sparse-bitmask" }))
  local row = taken.census.by_name[NAME]
  test.equal(row.layout.name, "ct-sparse")
  test.equal(pcall(synthetic.decoded, taken, NAME), false)
end)

-- Silent places -----------------------------------------------------------------------------------

local function silent(text, dtype)
  local tensors = good(4)
  local taken = take(6, 16, tensors, text)
  local values = quantization_config.read(format, json.decode(text, "config"))
  local texts = {}
  for i, finding in ipairs(format.silent { quantization_values = values, dtype = dtype,
    modules = { synthetic.linear(NAME, 6, 16) }, census = taken.census,
    requests = taken.requests }) do
    texts[i] = ("%s: %s"):format(finding.key, finding.found)
  end
  return texts
end

test("says what transformers would drop or take another way", function()
  test.equal(silent(config(int4())), {})
  test.equal(silent(config(int4(), { targets = json.array { "Linear", "Liner" } })),
    { "targets: 'Liner' matches no module" })
  test.equal(silent(config({ num_bits = 8, strategy = "channel" }, nil,
    { format = "naive-quantized" })),
    { "config_groups.group_0.format: absent, and 'pack-quantized' is inferred" })
  contains(silent(config(int4(), nil, { transform_config = { config_groups = { a = 1 } } })),
    "transform_config: ")
  contains(silent(config(int4(), nil, { sparsity_config = { format = "sparse-bitmask" } })),
    "sparsity_config: ")
end)

test("says that small floats decode to bfloat16 in a model in float16", function()
  local tensors = nvfp4()
  local text = config(NVFP4)
  local taken = take(3, 32, tensors, text, "float16")
  local values = quantization_config.read(format, json.decode(text, "config"))
  local findings = format.silent { quantization_values = values, dtype = "float16",
    modules = { synthetic.linear(NAME, 3, 32) }, census = taken.census, requests = taken.requests }
  test.equal({ #findings, findings[1].module, findings[1].wanted }, { 1, NAME, "bfloat16" })
end)

test("a dense weight of another shape under a request is not taken for one that can be read",
  function()
    local row = take(6, 16, { weight = tensor.zeros { 2, 3 } }, config(int4())).census.by_name[NAME]
    test.equal(row.status, "mismatched")
  end)
