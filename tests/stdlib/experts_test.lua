-- Experts: kept apart in the file, in one tensor in memory, one module to transformers.

local experts = require "qspec.experts"
local inspection_modules = require "qspec.inspection_modules"
local made = require "synthetic_model"
local tensor = require "host.tensor"
local test = require "test"

local MIXTURE = "model.layers.0.mlp.experts"
local UP, DOWN = MIXTURE .. ".gate_up_proj", MIXTURE .. ".down_proj"
local CONFIG = [[{"quant_method":"fp8","weight_block_size":[2,4]%s}]]
local COUNT, WIDTH, INNER = 3, 4, 2

local function part(index, name) return ("%s.%d.%s"):format(MIXTURE, index, name) end

-- Two projections of three experts, as the architectures list them.
local function projections()
  local up = made.experts(UP, COUNT, 2 * INNER, WIDTH, "MixtralExperts")
  local down = made.experts(DOWN, COUNT, WIDTH, INNER, "MixtralExperts")
  up.parts, down.parts = {}, {}
  for e = 0, COUNT - 1 do
    up.parts[e + 1] = { part(e, "w1") .. ".weight", part(e, "w3") .. ".weight" }
    down.parts[e + 1] = { part(e, "w2") .. ".weight" }
  end
  return { up, down, made.linear("lm_head", 2, WIDTH) }
end

local SHAPES = { w1 = { INNER, WIDTH }, w3 = { INNER, WIDTH }, w2 = { WIDTH, INNER } }

local function packed_tensors()
  local tensors = { ["lm_head.weight"] = tensor.zeros({ 2, WIDTH }, "bfloat16") }
  for e = 0, COUNT - 1 do
    for name in pairs(SHAPES) do
      local shape = SHAPES[name]
      local code = 0x38 + 8 * e + (name == "w3" and 4 or 0)
      tensors[part(e, name) .. ".weight"] = (tensor.zeros(shape, "uint8") + code)
        :to("uint8"):view("float8_e4m3fn")
      tensors[part(e, name) .. ".weight_scale_inv"] = tensor.zeros({ shape[1] / 2, 1 }) + 1
    end
  end
  return tensors
end

local function entries_of(tensors)
  local names = {}
  for name in pairs(tensors) do names[#names + 1] = name end
  table.sort(names)
  local list = {}
  for i, name in ipairs(names) do
    local dtype = tensors[name]:dtype()
    list[i] = { name = name, dtype = dtype == "bfloat16" and "BF16" or dtype == "float32" and "F32"
      or "F8_E4M3" }
  end
  return list
end

local function listed(entries)
  return experts.listed(projections(), entries, function(name) return name end)
end

local function take(tensors, rest)
  local modules = listed(entries_of(tensors))
  return made.take { modules = modules, tensors = tensors, config = CONFIG:format(rest or "") }
end

test("experts that are packed one by one are modules of their own", function()
  local taken = take(packed_tensors())
  test.equal(made.facts(taken), {})
  local names = {}
  for i, row in ipairs(taken.census.modules) do names[i] = row.name end
  test.equal(names, { part(0, "w1"), part(0, "w3"), part(1, "w1"), part(1, "w3"), part(2, "w1"),
    part(2, "w3"), part(0, "w2"), part(1, "w2"), part(2, "w2"), "lm_head" })
  test.equal(taken.census.by_name[part(1, "w3")].class, "FP8Experts")
end)

test("dense experts stay one module a projection", function()
  local modules = listed(
    { { name = part(0, "w1") .. ".weight", dtype = "BF16" }, { name = part(0, "w1") .. ".bias",
      dtype = "BF16" } })
  test.equal({ modules[1].name, modules[2].name, #modules }, { UP, DOWN, 3 })
end)

test("a projection is listed apart when a companion of any expert shows it packed", function()
  local modules = listed(
    { { name = part(2, "w2") .. ".weight.absmax", dtype = "F32" } })
  test.equal({ modules[1].name, modules[2].name, #modules }, { UP, part(0, "w2"), 5 })
end)

test("a projection is listed apart when the dtype of one expert alone shows it packed", function()
  local modules = listed({ { name = part(1, "w2") .. ".weight", dtype = "F8_E4M3" } })
  test.equal({ modules[1].name, modules[2].name, #modules }, { UP, part(0, "w2"), 5 })
end)

test("one dense expert among packed ones is named", function()
  local tensors = packed_tensors()
  tensors[part(1, "w3") .. ".weight"] = tensor.zeros(SHAPES.w3, "bfloat16")
  tensors[part(1, "w3") .. ".weight_scale_inv"] = nil
  test.equal(made.facts(take(tensors)), { "fell_back " .. part(1, "w3")
    .. " -: Linear bfloat16, wanted FP8Experts float8_e4m3" })
end)

test("one expert that is missing, or has lost its scale, is named", function()
  local tensors = packed_tensors()
  tensors[part(1, "w2") .. ".weight"], tensors[part(1, "w2") .. ".weight_scale_inv"] = nil, nil
  tensors[part(2, "w1") .. ".weight_scale_inv"] = nil
  test.equal(made.facts(take(tensors)), {
    "companion " .. part(2, "w1") .. " weight_scale_inv: missing, wanted F32 or BF16 or F16 or "
      .. "F8_E8M0 or U8 [1 x 1]",
    "missing " .. part(1, "w2") .. " weight: missing, wanted [4 x 2]" })
end)

test("dense experts under a config that asks for fp8 fell back", function()
  local taken = made.take { config = CONFIG:format(""), modules = projections(), tensors = {
    [UP] = tensor.zeros({ COUNT, 2 * INNER, WIDTH }, "bfloat16"),
    [DOWN] = tensor.zeros({ COUNT, WIDTH, INNER }, "bfloat16"),
    ["lm_head.weight"] = tensor.zeros({ 2, WIDTH }, "bfloat16") } }
  test.equal(made.facts(taken), {
    "fell_back " .. UP .. " -: MixtralExperts bfloat16, wanted FP8Experts float8_e4m3",
    "fell_back " .. DOWN .. " -: MixtralExperts bfloat16, wanted FP8Experts float8_e4m3" })
end)

test("a skip list protects the module of the experts, not one of them", function()
  local one = take(packed_tensors(), [=[,"modules_to_not_convert":["lm_head","experts.0.w1"]]=])
  test.equal(made.facts(one), {})
  local all = take(packed_tensors(), [=[,"modules_to_not_convert":["lm_head","mlp.experts"]]=])
  test.equal(#made.facts(all), 3 * COUNT)
  test.equal(all.census.by_name[part(0, "w1")].reason, "excluded by 'mlp.experts' (config)")
end)

test("entries of a skip list are renamed as the tensors of older files are", function()
  local taken = made.take { modules = listed(entries_of(packed_tensors())),
    tensors = packed_tensors(),
    architecture = { name = "made", tied = {}, renames = { { "%.mixture%.", ".mlp." } } },
    config = CONFIG:format([=[,"modules_to_not_convert":["lm_head","layers.0.mixture.experts"]]=]) }
  test.equal(taken.census.by_name[part(0, "w1")].reason,
    "excluded by 'layers.0.mlp.experts' (config)")
end)

test("bitsandbytes converts no experts, though a file may hold them so", function()
  local module = take(packed_tensors()).census.modules[1].module
  test.equal(require("qspec.formats.bitsandbytes").converts(module), false)
end)

test("joined experts lie as the program takes them", function()
  local taken = take(packed_tensors())
  local joined = experts.joined(taken.census, taken.checkpoint, "float32")
  test.equal(joined[UP]:shape(), { COUNT, 2 * INNER, WIDTH })
  local up, down = joined[UP]:tolist(), joined[DOWN]:tolist()
  for e = 0, COUNT - 1 do
    test.equal({ up[e + 1][1][1], up[e + 1][INNER][WIDTH], up[e + 1][INNER + 1][1],
      down[e + 1][WIDTH][INNER] }, { 2 ^ e, 2 ^ e, 1.5 * 2 ^ e, 2 ^ e })
  end
end)

test("the baseline of one expert is its part, in one tensor or kept apart", function()
  local expert = { of = projections()[1], index = 1, first = INNER + 1, rows = INNER }
  local whole = tensor.arange(0, COUNT * 2 * INNER * WIDTH - 1, "float32")
    :reshape(COUNT, 2 * INNER, WIDTH)
  local wanted = whole:select(1, 2):narrow(1, INNER + 1, INNER):tolist()
  local fused = made.take { modules = projections(), tensors = { [UP] = whole } }
  test.equal(experts.slice(fused.census.by_name[UP], fused.checkpoint, expert):tolist(), wanted)
  local tensors = {}
  for e = 0, COUNT - 1 do
    local rows = whole:select(1, e + 1)
    tensors[part(e, "w1") .. ".weight"] = rows:narrow(1, 1, INNER):contiguous()
    tensors[part(e, "w3") .. ".weight"] = rows:narrow(1, INNER + 1, INNER):contiguous()
  end
  local apart = made.take { modules = projections(), tensors = tensors }
  test.equal(experts.slice(apart.census.by_name[UP], apart.checkpoint, expert):tolist(), wanted)
end)

-- JSON --------------------------------------------------------------------------------------------

local function json_of(taken)
  local by_name = {}
  for _, module in ipairs(inspection_modules.to_json(taken.census)) do
    by_name[module.name] = module
  end
  return by_name
end

test("the JSON has one module for the experts, with transformers' parameters", function()
  local modules = json_of(take(packed_tensors()))
  local mixture = modules[MIXTURE]
  test.equal({ mixture.class, mixture.status, mixture.format },
    { "FP8Experts", "ok", "fp8-blocks" })
  test.equal(mixture.parameters, {
    gate_up_proj = { dtype = "float8_e4m3fn", shape = { COUNT, 2 * INNER, WIDTH } },
    gate_up_proj_scale_inv = { dtype = "float32", shape = { COUNT, 2, 1 } },
    down_proj = { dtype = "float8_e4m3fn", shape = { COUNT, WIDTH, INNER } },
    down_proj_scale_inv = { dtype = "float32", shape = { COUNT, 2, 1 } } })
  test.equal(modules[part(0, "w1")], nil)
end)

test("an expert that is not as it should be is in the JSON by its name", function()
  local tensors = packed_tensors()
  tensors[part(1, "w3") .. ".weight_scale_inv"] = nil
  local modules = json_of(take(tensors))
  test.equal(modules[MIXTURE].status, "broken")
  test.equal(modules[MIXTURE].reason, part(1, "w3") .. " is broken")
  test.equal(modules[part(1, "w3")].status, "broken")
end)

test("projections of one tensor are parameters of their module, biases too", function()
  local bias = { name = DOWN .. "_bias", class = "Parameter", kind = "parameter", bias = false,
    shape = { COUNT, WIDTH }, parameters = { { name = "weight", shape = { COUNT, WIDTH } } } }
  local modules = projections()
  table.insert(modules, 3, bias)
  local taken = made.take { modules = modules, tensors = {
    [UP] = tensor.zeros({ COUNT, 2 * INNER, WIDTH }, "bfloat16"),
    [DOWN] = tensor.zeros({ COUNT, WIDTH, INNER }, "bfloat16"),
    [DOWN .. "_bias"] = tensor.zeros({ COUNT, WIDTH }, "bfloat16"),
    ["lm_head.weight"] = tensor.zeros({ 2, WIDTH }, "bfloat16") } }
  test.equal(json_of(taken)[MIXTURE].parameters, {
    gate_up_proj = { dtype = "bfloat16", shape = { COUNT, 2 * INNER, WIDTH } },
    down_proj = { dtype = "bfloat16", shape = { COUNT, WIDTH, INNER } },
    down_proj_bias = { dtype = "bfloat16", shape = { COUNT, WIDTH } } })
end)

test("a parameter beside a module's weight is in the JSON with it", function()
  local gate = made.linear("mlp.gate", COUNT, WIDTH)
  local bias = { name = "mlp.gate.correction", class = "Parameter", kind = "parameter",
    bias = false, shape = { COUNT }, parameters = { { name = "weight", shape = { COUNT } } } }
  local modules = json_of(made.take { modules = { gate, bias }, tensors = {
    ["mlp.gate.weight"] = tensor.zeros({ COUNT, WIDTH }, "bfloat16"),
    ["mlp.gate.correction"] = tensor.zeros({ COUNT }, "bfloat16") } })
  test.equal(modules["mlp.gate"].parameters.correction, { dtype = "bfloat16", shape = { COUNT } })
  test.equal(modules["mlp.gate"].bytes, 2 * COUNT * WIDTH + 2 * COUNT)
  test.equal(modules["mlp.gate.correction"], nil)
end)
