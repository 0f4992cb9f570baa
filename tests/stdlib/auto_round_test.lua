-- auto-round: how its packing formats are read, and which modules its config asks for.

local made = require "synthetic_model"
local tensor = require "host.tensor"
local test = require "test"
local words = require "grouped_words"

local NAME = "model.layers.0.mlp.up_proj"
local OUT, IN, GROUP = 32, 64, 32

local function config(rest)
  return ([[{"quant_method":"auto-round","bits":4,"group_size":%d%s}]]):format(GROUP, rest
    or [[,"sym":false]])
end

local function stored(zero)
  local groups = {}
  for i = 0, IN - 1 do groups[i + 1] = math.floor(i / GROUP) end
  return { bits = 4, groups = groups,
    codes = words.matrix(OUT, IN, function(r, c) return words.noise(r, c) % 16 end),
    scales = words.matrix(IN / GROUP, OUT, function(g, r)
      return (words.noise(g, r) % 9 - 4.5) / 64
    end),
    zeros = words.matrix(IN / GROUP, OUT, zero
      or function(g, r) return words.noise(g, r) % 16 end) }
end

local function take(parts, rest)
  local tensors = words.gptq(NAME, parts)
  tensors[NAME .. ".g_idx"] = nil
  return made.take { modules = { made.linear(NAME, OUT, IN) }, tensors = tensors,
    config = config(rest) }
end

local function zeros_plus(zeros, offset)
  return words.matrix(#zeros, #zeros[1], function(g, o) return zeros[g + 1][o + 1] + offset end)
end

for packing, offset in pairs { ["auto_round:auto_gptq"] = 1, ["auto_round:gptq"] = 1,
  ["auto_round"] = 0, ["auto_round:gptqmodel"] = 0 } do
  test(packing .. (": zero points are stored less %d, 15 and one is 16"):format(offset), function()
    local parts = stored()
    local taken = take(parts, ([[,"sym":false,"packing_format":"%s"]]):format(
      packing))
    test.equal(made.facts(taken), {})
    test.equal(made.decoded(taken, NAME):tolist(), words.decoded(parts.codes, parts.scales,
      zeros_plus(parts.zeros, offset), parts.groups))
    test.equal(made.value_problems(taken, NAME), {})
    test.equal(taken.census.by_name[NAME].class, "QuantLinear")
  end)
end

test("a file with AWQ's packing is read as AWQ's", function()
  local taken = made.take { modules = { made.linear(NAME, OUT, IN) },
    config = config [[,"packing_format":"auto_round:auto_awq"]], tensors = {
      [NAME .. ".qweight"] = tensor.zeros({ IN, OUT / 8 }, "int32"),
      [NAME .. ".qzeros"] = tensor.zeros({ IN / GROUP, OUT / 8 }, "int32"),
      [NAME .. ".scales"] = tensor.zeros({ IN / GROUP, OUT }, "float16") } }
  test.equal(made.facts(taken), {})
  test.equal(taken.census.by_name[NAME].layout.name, "awq-gemm")
end)

test("symmetric zero points lie in the middle", function()
  local parts = stored(function() return 8 end)
  local taken = take(parts, [[,"sym":true]])
  test.equal(taken.requested.problem, nil)
  test.equal(made.value_problems(taken, NAME),
    { "qzeros: 64 zero points other than 8, wanted 8 everywhere, as sym says" })
end)

local NAMES = { "model.layers.0.self_attn.q_proj", "model.layers.0.mlp.up_proj",
  "model.layers.1.mlp.up_proj", "lm_head", "model.vision.fc" }

local function requested(rest)
  local modules, found = {}, {}
  for i, name in ipairs(NAMES) do modules[i] = made.linear(name, OUT, IN) end
  local taken = made.take { modules = modules, tensors = {}, config = config(rest) }
  for i, module in ipairs(modules) do
    local request, reason = taken.requests.of(module)
    found[i] = request and request.bits or reason
  end
  return found
end

local OUTSIDE = "outside of the blocks that are quantized"

test("modules of the blocks are converted, and those that extra_config names", function()
  test.equal(requested(), { 4, 4, 4, OUTSIDE, OUTSIDE })
  test.equal(requested [[,"extra_config":{"lm_head":{"bits":8},".*layers\\.1":{"bits":2},
    "model.layers.0.self_attn.q_proj":{"bits":16}}]],
    { "excluded by 'model.layers.0.self_attn.q_proj' (extra_config)", 4, 2, 8, OUTSIDE })
end)

test("blocks are named in a text, a list, or lists of blocks", function()
  local first = { 4, 4, OUTSIDE, OUTSIDE, OUTSIDE }
  test.equal(requested [[,"block_name_to_quantize":"model.layers.0"]], first)
  test.equal(requested [=[,"to_quant_block_names":["model.layers.0"]]=], first)
  test.equal(requested [=[,"quant_block_list":[["model.layers.0","model.layers.1"]]]=],
    { 4, 4, 4, OUTSIDE, OUTSIDE })
end)

test("rules of dynamic need a sign, modules_to_not_convert are searched for", function()
  test.equal(requested [[,"dynamic":{"-:.*q_proj":{},".*up_proj":{"bits":2}}]],
    { "excluded by '.*q_proj' (dynamic)", 4, 4, OUTSIDE, OUTSIDE })
  test.equal(requested [=[,"modules_to_not_convert":["mlp"]]=],
    { 4, "excluded by 'mlp' (modules_to_not_convert)", "excluded by 'mlp' (modules_to_not_convert)",
      OUTSIDE, OUTSIDE })
end)

test("hostile values and other packings are problems, not errors", function()
  for _, rest in ipairs { [["bits":0]], [["bits":1e300]], [["bits":"4"]], [["group_size":0]],
      [["group_size":1.5]], [["packing_format":"auto_round:fp8_static"]], [["packing_format":4]],
      [["data_type":"mx_fp"]] } do
    local text = [[{"quant_method":"auto-round",]] .. rest .. "}"
    local taken = made.take { modules = {}, tensors = {}, config = text }
    test.equal(taken.requested.problem ~= nil, true, rest)
  end
end)
