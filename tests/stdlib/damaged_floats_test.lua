-- Damaged weights of the float formats: whatever a tensor became, there is a finding or a weight
-- that decodes, and never an error.

local made = require "synthetic_model"
local tensor = require "host.tensor"
local test = require "test"

local NAME = "model.layers.0.mlp.experts.down_proj"

local function bytes(shape, dtype)
  return tensor.zeros(shape, "uint8"):view(dtype or "float8_e4m3fn")
end

local SHAPES = { {}, { 0 }, { 1 }, { 3 }, { 1, 1 }, { 0, 32 }, { 32, 4 }, { 4, 32 }, { 4, 16 },
  { 4, 1 }, { 2, 2, 1 }, { 4, 1, 1, 1 }, { 2, 4, 32 }, { 2, 4, 1, 16 } }
local DTYPES = { "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "uint8", "int8", "float32",
  "float16", "bfloat16", "int32", "int64", "bool" }

local function damages()
  local list = {}
  for _, shape in ipairs(SHAPES) do
    for _, dtype in ipairs(DTYPES) do
      local is_8_bits = dtype:find("^float8")
      list[#list + 1] = is_8_bits and bytes(shape, dtype) or tensor.zeros(shape, dtype)
    end
  end
  return list
end

local function fp8(method, rest)
  return ([[{"quant_method":"%s"%s}]]):format(method, rest or "")
end

local LINEAR = { 4, 32 }
local MODELS = {
  { config = fp8("fp8", [[,"weight_block_size":[2,16] ]]), tensors = { weight = bytes(LINEAR),
    weight_scale_inv = tensor.zeros { 2, 2 } } },
  { config = fp8("fp8", [[,"weight_block_size":null,"activation_scheme":"static"]]), tensors = {
    weight = bytes(LINEAR), weight_scale_inv = tensor.from(1),
    activation_scale = tensor.from(1) } },
  { config = fp8 "mxfp8", tensors = { weight = bytes(LINEAR),
    weight_scale_inv = tensor.zeros({ 4, 1 }, "uint8") } },
  { config = fp8 "fp8", tensors = { weight = tensor.zeros({ 4, 16 }, "int8"),
    weight_scale_inv = tensor.zeros { 4, 1 } } },
  { config = fp8 "fbgemm_fp8", tensors = { weight = bytes(LINEAR),
    weight_scale = tensor.zeros { 4, 1 } } },
  { config = fp8("modelopt", [[,"quant_algo":"FP8"]]), tensors = { weight = bytes(LINEAR),
    weight_scale = tensor.from(1), input_scale = tensor.from(1), k_scale = tensor.from(1) } },
  { config = fp8("modelopt", [[,"quant_algo":"NVFP4"]]), tensors = {
    weight = tensor.zeros({ 4, 16 }, "uint8"), weight_scale = bytes { 4, 2 },
    weight_scale_2 = tensor.from(1), input_scale = tensor.from(1) } },
  { config = fp8("modelopt", [[,"quant_algo":"W4A16_AWQ","group_size":16]]), tensors = {
    weight = tensor.zeros({ 2, 32 }, "uint8"), weight_scale = tensor.zeros { 4, 2 },
    pre_quant_scale = tensor.zeros { 32 } } },
  { config = fp8("modelopt", [[,"quant_algo":"FP8_PB_WO"]]), tensors = { weight = bytes(LINEAR),
    weight_scale = tensor.zeros { 1, 1 } } },
}

local EXPERTS = {
  { config = fp8("fp8", [[,"weight_block_size":[2,16] ]]), tensors = { [""] = bytes { 2, 4, 32 },
    _scale_inv = tensor.zeros { 2, 2, 2 } } },
  { config = fp8 "mxfp4", class = "GptOssExperts", tensors = {
    _blocks = tensor.zeros({ 2, 4, 1, 16 }, "uint8"),
    _scales = tensor.zeros({ 2, 4, 1 }, "uint8") } },
}

-- What was read: nothing but findings, and values wherever no finding says that there are none.
local function read(model, module, tensors)
  local all = { ["lm_head.weight"] = tensor.zeros({ 4, 32 }, "bfloat16") }
  for suffix, value in pairs(tensors) do
    local joint = module.kind == "experts" and "" or "."
    all[module.name .. joint .. suffix] = value
  end
  local taken = made.take { modules = { module, made.linear("lm_head", 4, 32) }, tensors = all,
    config = model.config }
  local row = taken.census.by_name[module.name]
  if row.layout and row.status ~= "broken" and row.status ~= "mismatched" then
    row.layout.value_problems(row.weight)
    if row.status ~= "missing" then made.decoded(taken, module.name) end
  end
  return row
end

local function changed(tensors, suffix, value)
  local copy = {}
  for name, one in pairs(tensors) do copy[name] = one end
  copy[suffix] = value
  return copy
end

local function damage_all(model, module)
  test.equal(read(model, module, model.tensors).status, "ok", model.config)
  for suffix in pairs(model.tensors) do
    read(model, module, changed(model.tensors, suffix, nil))
    for _, damage in ipairs(damages()) do
      local ok, err = pcall(read, model, module, changed(model.tensors, suffix, damage))
      test.ok(ok, ("%s with %s of %s [%s]: %s"):format(model.config, suffix, damage:dtype(),
        table.concat(damage:shape(), " x "), tostring(err)))
    end
  end
end

test("no linear weight of a float format raises, whatever one of its tensors became", function()
  for _, model in ipairs(MODELS) do damage_all(model, made.linear("model.up_proj", 4, 32)) end
end)

test("no experts of a float format raise, whatever one of their tensors became", function()
  for _, model in ipairs(EXPERTS) do
    damage_all(model, made.experts(NAME, 2, 4, 32, model.class))
  end
end)
