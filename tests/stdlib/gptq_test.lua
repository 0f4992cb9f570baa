-- GPTQ: what its weights stand for, which modules its config asks for, and each way to be wrong.

local gptq = require "qspec.formats.gptq"
local made = require "synthetic_model"
local tensor = require "host.tensor"
local test = require "test"
local words = require "grouped_words"

local NAME = "model.layers.0.mlp.up_proj"
local HEAD = "lm_head"
local OUT, IN, GROUP = 32, 64, 16

local function in_order(columns, size)
  local groups = {}
  for i = 0, columns - 1 do groups[i + 1] = math.floor(i / size) end
  return groups
end

local function shuffled(columns, size)
  local groups = {}
  for i = 0, columns - 1 do groups[(i * 27) % columns + 1] = math.floor(i / size) end
  return groups
end

-- A weight of `bits` bits: zeros are as stored, `meant` what the config makes of them.
local function weight(bits, o)
  o = o or {}
  local most = 2 ^ bits
  local groups = o.groups or in_order(IN, GROUP)
  return { bits = bits, groups = groups,
    codes = words.matrix(OUT, IN, function(r, c) return words.noise(r, c) % most end),
    scales = words.matrix(IN / GROUP, OUT, function(g, r)
      return (1 + words.noise(g, r) % 9) / 64
    end),
    zeros = words.matrix(IN / GROUP, OUT, o.zero or function(g, r)
      return words.noise(r, g + 3) % (most - 1)
    end) }
end

local function config(bits, rest)
  return ([[{"quant_method":"gptq","bits":%d,"group_size":%d,"sym":false%s}]]):format(bits, GROUP,
    rest or "")
end

local function take(bits, o)
  o = o or {}
  local stored = o.weight or weight(bits)
  local tensors = words.gptq(NAME, stored)
  tensors[HEAD .. ".weight"] = tensor.zeros({ 4, IN }, "bfloat16")
  for name, value in pairs(o.tensors or {}) do tensors[name] = value end
  for _, name in ipairs(o.without or {}) do tensors[name] = nil end
  return made.take { modules = o.modules or { made.linear(NAME, OUT, IN),
    made.linear(HEAD, 4, IN) }, tensors = tensors, config = o.config or config(bits) }
end

local function plus_one(zeros)
  return words.matrix(#zeros, #zeros[1], function(g, o) return zeros[g + 1][o + 1] + 1 end)
end

local function expect_decoded(taken, stored, zeros)
  local wanted = words.decoded(stored.codes, stored.scales, zeros, stored.groups)
  test.equal(made.decoded(taken, NAME):tolist(), wanted)
end

for _, bits in ipairs { 2, 3, 4, 8 } do
  test(("%d bits: zero points of the first version are stored less one"):format(bits), function()
    local stored = weight(bits)
    local taken = take(bits, { weight = stored })
    test.equal(made.facts(taken), {})
    expect_decoded(taken, stored, plus_one(stored.zeros))
  end)

  test(("%d bits: zero points of the second version are as they are"):format(bits), function()
    local stored = weight(bits)
    local taken = take(bits, { weight = stored,
      config = config(bits, [[,"checkpoint_format":"gptq_v2"]]) })
    expect_decoded(taken, stored, stored.zeros)
  end)

  test(("%d bits: input features in the order of their activations"):format(bits), function()
    local stored = weight(bits, { groups = shuffled(IN, GROUP) })
    local taken = take(bits, { weight = stored, config = config(bits, [[,"desc_act":true]]) })
    expect_decoded(taken, stored, plus_one(stored.zeros))
    test.equal(made.value_problems(taken, NAME), {})
  end)
end

test("a stored zero point of 15 is 0 and carries into the next, as GPTQModel adds words", function()
  local stored = weight(4, { zero = function(_, r) return r == 3 and 15 or 6 end })
  local taken = take(4, { weight = stored })
  expect_decoded(taken, stored, words.matrix(IN / GROUP, OUT, function(_, r)
    return r == 3 and 0 or r == 4 and 8 or 7
  end))
end)

test("a stored zero point of 7 in 3 bits is 0 and carries nothing", function()
  local stored = weight(3, { zero = function(_, r) return r == 10 and 7 or 3 end })
  local taken = take(3, { weight = stored })
  expect_decoded(taken, stored, words.matrix(IN / GROUP, OUT, function(_, r)
    return r == 10 and 0 or 4
  end))
end)

test("group_size -1 is one group a row", function()
  local stored = weight(4)
  stored.scales, stored.zeros = { stored.scales[1] }, { stored.zeros[1] }
  stored.groups = in_order(IN, IN)
  local taken = take(4, { weight = stored,
    config = [[{"quant_method":"gptq","bits":4,"group_size":-1,"sym":false}]] })
  test.equal(made.facts(taken), {})
  test.equal(taken.census.by_name[NAME].scheme.group_size, IN)
  expect_decoded(taken, stored, plus_one(stored.zeros))
end)

test("a Conv1D's parameter is the transpose of what is packed", function()
  local module = made.linear(NAME, OUT, IN)
  module.class, module.transposed, module.shape = "Conv1D", true, { IN, OUT }
  module.parameters[1].shape = { IN, OUT }
  local stored = weight(4)
  local taken = take(4, { weight = stored, modules = { module, made.linear(HEAD, 4, IN) } })
  test.equal(made.facts(taken), {})
  expect_decoded(taken, stored, plus_one(stored.zeros))
end)

test("scales of bfloat16 become float16 before they multiply", function()
  local scales = tensor.from(words.matrix(IN / GROUP, OUT, function() return 2 ^ -30 end),
    "bfloat16")
  local taken = take(4, { tensors = { [NAME .. ".scales"] = scales } })
  test.equal(made.decoded(taken, NAME):count_nonzero(), 0)
  test.equal(made.value_problems(taken, NAME)[1],
    "scales: 0 beyond float16, 128 too small for it, wanted scales that float16 holds")
end)

test("the footprint counts what GPTQModel's kernel makes for itself", function()
  local row = take(4).census.by_name[NAME]
  test.equal(row.footprint, 4 * (IN / 8) * OUT + 4 * 4 * (OUT / 8) + 2 * 4 * OUT + 4 * IN + 2 * 32)
  test.equal(row.buffers.wf_unsqueeze_neg_one.shape, { 1, 8, 1 })
  test.equal(take(3).census.by_name[NAME].buffers.wf_unsqueeze_zero.shape, { 1, 1, 3, 12 })
end)

-- Ways to be wrong in the headers -----------------------------------------------------------------

local function facts(o)
  return made.facts(take(4, o))
end

test("a companion that is missing is named", function()
  test.equal(facts { without = { NAME .. ".qzeros" } },
    { "companion " .. NAME .. " qzeros: missing, wanted I32 [4 x 4]" })
  test.equal(facts { without = { NAME .. ".g_idx" } },
    { "companion " .. NAME .. " g_idx: missing, wanted I32 [64]" })
  test.equal(facts { without = { NAME .. ".scales" } },
    { "companion " .. NAME .. " scales: missing, wanted F16 or BF16 or F32 [4 x 32]" })
  test.equal(facts { without = { NAME .. ".qweight" } },
    { "companion " .. NAME .. " qweight: missing, wanted I32 [8 x 32]" })
end)

test("companions of another size are findings", function()
  test.equal(facts { tensors = { [NAME .. ".g_idx"] = tensor.zeros({ IN - 1 }, "int32") } },
    { "companion " .. NAME .. " g_idx: I32 [63], wanted I32 [64]" })
  test.equal(facts { tensors = { [NAME .. ".scales"] = tensor.zeros({ 3, OUT }, "float16") } },
    { "companion " .. NAME .. " scales: F16 [3 x 32], wanted F16 or BF16 or F32 [4 x 32]" })
  test.equal(facts { tensors = { [NAME .. ".qweight"] = tensor.zeros({ 7, OUT }, "int32") } },
    { "companion " .. NAME .. " qweight: I32 [7 x 32], wanted I32 [8 x 32]" })
end)

test("bits and groups that the shapes speak for, against the config's", function()
  local scheme = take(8, { config = config(4) }).census.by_name[NAME].scheme
  test.equal(scheme.bits, 8)
  local wide = take(4, { config = [[{"quant_method":"gptq","bits":4,"group_size":32}]] })
  test.equal(wide.census.by_name[NAME].scheme.group_size, GROUP)
  test.equal(wide.requests.of(made.linear(NAME, OUT, IN)).group_size, 32)
end)

test("a bias where the module has none is dropped, which matters when it is not zero", function()
  local taken = take(4, { tensors = { [NAME .. ".bias"] = tensor.zeros({ OUT }, "float16") } })
  test.equal(made.facts(taken), {})
  test.equal(made.value_problems(taken, NAME), {})
  local nonzero = take(4, { tensors = { [NAME .. ".bias"] = tensor.from(
    words.matrix(1, OUT, function() return 1 end)[1], "float16") } })
  test.equal(made.value_problems(nonzero, NAME),
    { "bias: a bias with 32 values that are not 0, wanted no bias: the module has none" })
end)

-- Ways to be wrong in the values ------------------------------------------------------------------

local SYM = [[{"quant_method":"gptq","bits":4,"group_size":16,"sym":true%s}]]

local function symmetric(zero, rest)
  local stored = weight(4, { zero = function() return zero end })
  return made.value_problems(take(4, { weight = stored, config = SYM:format(rest or "") }), NAME)
end

test("symmetric zero points lie in the middle, or the config names the other version", function()
  test.equal(symmetric(7), {})
  test.equal(symmetric(8, [[,"format":"gptq_v2"]]), {})
  test.equal(symmetric(8),
    { "qzeros: 128 zero points other than 8, wanted 8 everywhere, as sym says" })
  test.equal(symmetric(7, [[,"format":"gptq_v2"]]),
    { "qzeros: 128 zero points other than 8, wanted 8 everywhere, as sym says" })
end)

local function problems_of_groups(groups, rest)
  local stored = weight(4, { groups = groups })
  return made.value_problems(take(4, { weight = stored, config = config(4, rest) }), NAME)
end

test("a group that is not there is named with its input feature", function()
  local groups = in_order(IN, GROUP)
  groups[6] = 4
  test.equal(problems_of_groups(groups),
    { "g_idx: 1 of 64 groups outside, the first at input feature 5, wanted 0 to 3" })
  groups[3] = -1
  test.equal(problems_of_groups(groups),
    { "g_idx: 2 of 64 groups outside, the first at input feature 2, wanted 0 to 3" })
end)

test("groups hold as many input features as the group size says", function()
  local groups = in_order(IN, GROUP)
  groups[1] = 1
  test.equal(problems_of_groups(groups), { "g_idx: 15 input features in group 0, wanted 16" })
end)

test("desc_act must be true of g_idx, in both directions", function()
  test.equal(problems_of_groups(shuffled(IN, GROUP), [[,"desc_act":false]]),
    { "g_idx: input features out of order, wanted groups in order, as desc_act false says" })
  test.equal(problems_of_groups(in_order(IN, GROUP), [[,"desc_act":true]]), {})
  test.equal(problems_of_groups(in_order(IN, GROUP),
    [[,"desc_act":true,"meta":{"static_groups":false}]]), { "g_idx: input features in order, "
    .. "wanted the order of the activations, as desc_act without static_groups says" })
end)

local function problems_of_scale(value)
  local stored = weight(4)
  stored.scales[2][5] = value
  return made.value_problems(take(4, { weight = stored }), NAME)
end

test("scales are finite, not negative, and not zero over codes that differ", function()
  test.equal(problems_of_scale(1 / 0),
    { "scales: 1 not finite, wanted every scale a finite number" })
  test.equal(problems_of_scale(-1), { "scales: a negative scale, -1, wanted scales >= 0" })
  test.equal(problems_of_scale(0), { "scales: 0 over 1 of 128 groups that hold codes, "
    .. "wanted scales > 0 wherever a group is not constant" })
end)

test("lost scales are found among input features in another order", function()
  local stored = weight(4, { groups = shuffled(IN, GROUP) })
  for o = 1, OUT do
    for i = 1, IN do
      if stored.groups[i] == 1 then stored.codes[o][i] = 5 end
    end
    stored.scales[2][o] = 0
  end
  local constant = take(4, { weight = stored, config = config(4, [[,"desc_act":true]]) })
  test.equal(made.value_problems(constant, NAME), {})
end)

-- Which modules -----------------------------------------------------------------------------------

local function module_names(names)
  local modules = {}
  for i, name in ipairs(names) do modules[i] = made.linear(name, OUT, IN) end
  return modules
end

local function requested(text, names)
  local taken = made.take { modules = module_names(names), tensors = {}, config = text }
  local found = {}
  for i, module in ipairs(module_names(names)) do
    local request, reason = taken.requests.of(module)
    found[i] = request and request.bits or reason
  end
  return found
end

local NAMES = { "model.layers.0.self_attn.q_proj", "model.layers.0.mlp.up_proj",
  "model.layers.1.mlp.up_proj", "lm_head", "model.vision.fc" }

test("modules of the blocks are converted, and no others", function()
  test.equal(requested(config(4), NAMES), { 4, 4, 4, "outside of the blocks 'model.layers'",
    "outside of the blocks 'model.layers'" })
end)

test("modules_in_block_to_quantize lists ends of names, the block's name is a beginning", function()
  local unlisted = "not in modules_in_block_to_quantize"
  test.equal(requested(config(4, [=[,"modules_in_block_to_quantize":[["self_attn.q_proj"],
    ["nothing"]]]=]), NAMES), { 4, unlisted, unlisted,
    "outside of the blocks 'model.layers'", "outside of the blocks 'model.layers'" })
  test.equal(requested(config(4, [[,"block_name_to_quantize":"model.layers.1"]]), NAMES)[2],
    "outside of the blocks 'model.layers.1'")
end)

test("the first rule of dynamic that matches decides", function()
  test.equal(requested(config(4, [[,"dynamic":{"-:.*layers\\.1\\.":{},
    "+:.*up_proj":{"bits":8},".*layers\\.1.*":{"bits":2}}]]), NAMES),
    { 4, 8, "excluded by '-:.*layers\\.1\\.' (config)", "outside of the blocks 'model.layers'",
      "outside of the blocks 'model.layers'" })
end)

test("a rule with impossible bits asks for nothing and says so", function()
  test.equal(requested(config(4, [[,"dynamic":{".*up_proj":{"bits":-1}}]]), NAMES)[2],
    "the rule '.*up_proj' asks for bits -1")
  test.equal(requested(config(4, [[,"dynamic":{"+:(":{"bits":8}}]]), NAMES)[1], 4)
end)

-- The config --------------------------------------------------------------------------------------

local function problem(text)
  local taken = made.take { modules = {}, tensors = {}, config = text }
  return taken.requested.problem
end

test("hostile numbers of a config are problems, not errors", function()
  for _, bits in ipairs { "0", "-4", "1e300", "4.5", '"four"', "null" } do
    test.equal(problem(([[{"quant_method":"gptq","bits":%s}]]):format(bits)) ~= nil, true, bits)
  end
  for _, size in ipairs { "0", "-2", "1.5", "1e300", '"all"', "[]" } do
    local text = ([[{"quant_method":"gptq","bits":4,"group_size":%s}]]):format(size)
    test.equal(problem(text) ~= nil, true, size)
  end
end)

test("a kernel's own order of the codes is refused by name", function()
  test.equal(problem [[{"quant_method":"gptq","bits":4,"checkpoint_format":"marlin"}]],
    "format 'marlin'")
  test.equal(problem [[{"quant_method":"gptq","bits":4,"format":"bitblas"}]], "format 'bitblas'")
  test.equal(problem [[{"quant_method":"gptq","bits":4,"is_marlin_format":true}]],
    "is_marlin_format true")
end)

test("planes of bits are known for what they are, and not decoded", function()
  local taken = take(4, { config = config(4, [[,"format":"gptq_p"]]) })
  local row = taken.census.by_name[NAME]
  test.equal(require("qspec.weights").undecodable(row):match("^format gptq_p"), "format gptq_p")
end)

test("checkpoint_format counts before format, in any case", function()
  local values = { format = "gptq", checkpoint_format = "GPTQ_v2", desc_act = true,
    act_group_aware = true }
  gptq.normalize(values)
  test.equal(values.format, "gptq_v2")
  test.equal(values.act_group_aware, false)
end)

test("quantize_config.json of AutoGPTQ is GPTQ's, one that names AWQ is not", function()
  local translate = gptq.files["quantize_config.json"]
  local config_of = translate({ bits = 4, group_size = 128 }, { bits = "integer",
    group_size = "integer" })
  test.equal(config_of, { quant_method = "gptq", bits = 4, group_size = 128 })
  test.equal(translate({ quant_method = "awq" }, {}), nil)
end)

test("on a CPU 4 bits are multiplied in float32, where no weight is rounded", function()
  local row = take(4).census.by_name[NAME]
  test.equal(row.layout.linear(row.weight, {}, "cpu").compute_dtype, "float32")
  test.equal(row.layout.linear(row.weight, {}, "cuda:0").compute_dtype, nil)
  row = take(8).census.by_name[NAME]
  test.equal(row.layout.linear(row.weight, {}, "cpu").compute_dtype, nil)
end)

test("all widths but 4 are decoded to float16 first, and their bias is added apart", function()
  for _, bits in ipairs { 2, 3, 4, 8 } do
    local row = take(bits).census.by_name[NAME]
    local bound = row.layout.linear(row.weight, {})
    test.equal(bound.bias_apart or false, bits ~= 4, bits .. " bits")
    test.equal(bound.decode_dtype, bits ~= 4 and "float16" or nil, bits .. " bits")
  end
end)
