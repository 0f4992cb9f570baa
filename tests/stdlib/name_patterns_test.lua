-- Patterns for module names: all that are meant, no others, and few of them.

local glob = require "qspec.glob"
local name_patterns = require "qspec.name_patterns"
local test = require "test"

local PROJECTIONS = { "self_attn.q_proj", "self_attn.k_proj", "self_attn.o_proj", "mlp.gate_proj",
  "mlp.down_proj" }

local function names_of(layers, suffixes)
  local names = {}
  for layer = 0, layers - 1 do
    for _, suffix in ipairs(suffixes) do
      names[#names + 1] = ("model.layers.%d.%s"):format(layer, suffix)
    end
  end
  return names
end

local function matches_any(patterns, name)
  for _, pattern in ipairs(patterns) do
    if glob.compile(pattern)(name) then return true end
  end
  return false
end

local function check_exact(names, others)
  local patterns = name_patterns.cover(names, others)
  for _, name in ipairs(names) do test.ok(matches_any(patterns, name), "misses " .. name) end
  for _, name in ipairs(others) do test.ok(not matches_any(patterns, name), "takes " .. name) end
  return patterns
end

local DENSE = { "model.embed_tokens", "model.norm", "lm_head", "model.layers.0.input_layernorm",
  "model.layers.1.input_layernorm" }

test("all linears of a decoder are one pattern", function()
  test.equal(check_exact(names_of(2, PROJECTIONS), DENSE), { "*proj" })
end)

test("what stays in full precision is named by few patterns", function()
  test.equal(check_exact(DENSE, names_of(2, PROJECTIONS)),
    { "model.embed_tokens", "*norm", "lm_head" })
end)

test("one projection apart from its neighbours is a pattern over the layers", function()
  local others = names_of(12, { "self_attn.q_proj", "mlp.gate_proj" })
  test.equal(check_exact(names_of(12, { "mlp.down_proj" }), others), { "*.down_proj" })
end)

test("layers that differ from their siblings are named one by one", function()
  local names = { "model.layers.1.mlp.down_proj" }
  local others = { "model.layers.0.mlp.down_proj", "model.layers.10.mlp.down_proj",
    "model.layers.11.mlp.down_proj" }
  test.equal(check_exact(names, others), names)
end)

test("experts of every layer are one pattern", function()
  local names = {}
  for expert = 0, 3 do
    for _, part in ipairs { "w1", "w2" } do
      names[#names + 1] = ("model.layers.0.mlp.experts.%d.%s"):format(expert, part)
    end
  end
  test.equal(check_exact(names, { "model.layers.0.mlp.gate", "lm_head" }), { "*.experts.*" })
end)

test("no names need no patterns", function()
  test.equal(name_patterns.cover({}, { "lm_head" }), {})
end)

test("a name that is a part of another is told from it", function()
  check_exact({ "transformer.h.0.attn" }, { "transformer.h.0.attn.c_attn", "transformer.attn" })
end)

-- Every split of a decoder's modules into two halves is covered exactly, whatever the split.
test("any split of the modules is covered exactly", function()
  local all = names_of(3, { "self_attn.q_proj", "self_attn.o_proj", "mlp.up_proj", "norm" })
  all[#all + 1], all[#all + 2] = "lm_head", "model.norm"
  local state = 1
  for _ = 1, 200 do
    local halves = { {}, {} }
    for _, name in ipairs(all) do
      state = (state * 1103515245 + 12345) % 2 ^ 31
      table.insert(halves[1 + math.floor(state / 65536) % 2], name)
    end
    check_exact(halves[1], halves[2])
  end
end)

test("the 15,360 experts of a large mixture are one pattern", function()
  local names, others = {}, {}
  for layer = 0, 59 do
    for expert = 0, 255 do
      names[#names + 1] = ("model.layers.%d.mlp.experts.%d.up_proj"):format(layer, expert)
    end
    others[#others + 1] = ("model.layers.%d.mlp.gate"):format(layer)
  end
  test.equal(name_patterns.cover(names, others), { "*.experts.*" })
end)
