-- Activations of compressed-tensors against the weights that they are multiplied by.

local activations = require "qspec.layouts.ct_activations"
local ct_args = require "qspec.layouts.ct_args"
local presets = require "qspec.layouts.ct_presets"
local test = require "test"

local function group_of(raw)
  local function read(args) return args and (ct_args.read(args)) end
  return { name = "g", weights = read(raw.weights), inputs = read(raw.input_activations) }
end

local NAMES = { "W8A8", "W4A8", "W4A16", "W2A4", "W4AFP8", "FP8", "FP8_DYNAMIC", "FP8_BLOCK",
  "NVFP4", "NVFP4A16", "MXFP4", "MXFP4A16", "MXFP4XFP8", "MXFP6A8", "MXFP8", "INT8" }

test("no preset of the library raises anything", function()
  for _, name in ipairs(NAMES) do
    local preset = presets.named(name)
    test.ok(preset, name)
    test.equal(activations.problems(group_of(preset)), {}, name)
  end
end)

local function changed(name, change)
  local preset, copy = presets.named(name), {}
  for key, value in pairs(preset.input_activations) do copy[key] = value end
  for key, value in pairs(change) do copy[key] = value end
  return activations.problems(group_of { weights = preset.weights, input_activations = copy })
end

test("codes of another kind, width or without symmetry have no kernel", function()
  test.ok(changed("W8A8", { type = "float" })[1].wanted:find("int of 8 bits as the weights"))
  test.ok(changed("FP8_DYNAMIC", { type = "int" })[1].wanted:find("float of 8 bits as the weights"))
  test.equal(changed("W8A8", { num_bits = 16 })[1].wanted, "4 or 8 bits")
  test.ok(changed("FP8_DYNAMIC", { symmetric = false })[1].wanted:find("symmetric"))
end)

test("integers may be asymmetric", function()
  test.equal(changed("W8A8", { symmetric = false }), {})
end)

test("groups of activations are as wide as the blocks of the weights", function()
  test.equal(changed("FP8_BLOCK", { group_size = 256 })[1].key,
    "config_groups.g.input_activations.group_size")
end)
