-- FBGEMM's fp8: one scale a row, biases in float32, a buffer that no file holds.

local made = require "synthetic_model"
local tensor = require "host.tensor"
local test = require "test"

local NAME = "model.layers.0.mlp.up_proj"
local CONFIG = [[{"quant_method":"fbgemm_fp8","activation_scale_ub":1200.0}]]

-- 0x38 is 1, 0x40 is 2, 0xB8 is -1.
local CODES = { { 0x38, 0x40, 0xB8 }, { 0x40, 0x00, 0x38 } }
local VALUES = { { 1, 2, -1 }, { 2, 0, 1 } }

local function take(tensors, config)
  local all = { [NAME .. ".weight"] = tensor.from(CODES, "uint8"):view("float8_e4m3fn"),
    [NAME .. ".weight_scale"] = tensor.from { { 0.5 }, { 3 } },
    [NAME .. ".bias"] = tensor.zeros({ 2 }, "bfloat16"),
    ["lm_head.weight"] = tensor.zeros({ 4, 3 }, "bfloat16") }
  for name, value in pairs(tensors or {}) do all[name] = value or nil end
  return made.take { modules = { made.linear(NAME, 2, 3, true), made.linear("lm_head", 4, 3) },
    tensors = all, config = config or CONFIG }
end

test("each row is scaled by its own scale", function()
  local taken = take()
  test.equal(made.facts(taken), {})
  local wanted = {}
  for r, scale in ipairs { 0.5, 3 } do
    wanted[r] = {}
    for c = 1, 3 do wanted[r][c] = VALUES[r][c] * scale end
  end
  test.equal(made.decoded(taken, NAME):tolist(), wanted)
  test.equal(made.value_problems(taken, NAME), {})
end)

test("the bias is held in float32, the bound of the inputs' scale is a buffer", function()
  local row = take().census.by_name[NAME]
  test.equal(row.class, "FbgemmFp8Linear")
  test.equal(row.parameters.bias.dtype, "float32")
  test.equal(row.buffers, { input_scale_ub = { dtype = "float32", shape = { 1 } } })
  test.equal(row.footprint, 2 * 3 + 4 * 2 + 4 * 2 + 4)
end)

test("the config alone gives the same footprint", function()
  local taken = take()
  local footprint = require "qspec.footprint"
  local bytes = footprint.of_config({ name = "made" }, { taken.census.modules[1].module },
    "bfloat16", function(module) return (taken.requests.of(module)) end)
  test.equal(bytes, taken.census.modules[1].footprint)
end)

test("the model is loaded in bfloat16, whatever its config says", function()
  test.equal(require("qspec.formats.fbgemm_fp8").update_dtype("float16"), "bfloat16")
  local subject = require("qspec.subject").new { name = "made", config = { dtype = "float16",
    quantization_config = { quant_method = "fbgemm_fp8" } } }
  test.equal(subject.dtype, "bfloat16")
end)

test("a config with another dtype is a finding: transformers changes it with a warning", function()
  local dtypes = require "qspec.checks.dtypes"
  local function findings(dtype)
    local format = require "qspec.formats.fbgemm_fp8"
    local subject = { census = { modules = {} }, config_dtype = dtype, format = format,
      dtype = format.update_dtype(), is_packed = function() return true end }
    local ctx = require("qspec.context").new { subject = subject, params = {} }
    dtypes.run(ctx)
    return ctx.findings
  end
  test.equal(findings "bfloat16", {})
  test.equal(findings "float16", { { key = "dtype", found = "float16", wanted = "bfloat16",
    hint = "transformers loads fbgemm_fp8 in that, and only warns" } })
end)

test("a scale that is missing, or one for the whole tensor, is named", function()
  test.equal(made.facts(take { [NAME .. ".weight_scale"] = tensor.from(1) }),
    { "companion " .. NAME .. " weight_scale: F32 [scalar], wanted F32 or BF16 or F16 [2 x 1]" })
  local lost = take { [NAME .. ".weight_scale"] = false }
  test.equal(lost.census.by_name[NAME].status, "broken")
end)

test("a bias that is missing is named", function()
  test.equal(made.facts(take { [NAME .. ".bias"] = false }),
    { "companion " .. NAME .. " bias: missing, wanted F32 or BF16 or F16 [2]" })
end)

test("scales of 0 over codes, and codes of NaN, are named", function()
  local taken = take { [NAME .. ".weight_scale"] = tensor.from { { 0.5 }, { 0 } },
    [NAME .. ".weight"] = tensor.from({ { 0x7f, 1, 1 }, { 0x38, 0, 0x80 } }, "uint8")
      :view("float8_e4m3fn") }
  test.equal(made.value_problems(taken, NAME), { "weight: 1 codes of NaN, wanted numbers",
    "weight_scale: 0 over 1 codes that are not, wanted scales > 0" })
end)

test("subclasses of Linear are converted too", function()
  local module = made.linear(NAME, 2, 3)
  module.class = "FalconLinear"
  test.ok(require("qspec.formats.fbgemm_fp8").converts(module))
end)
