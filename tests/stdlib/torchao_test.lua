-- torchao: values of its tensors, rules by name, and each way in which metadata and parts disagree.

local checkpoint = require "host.checkpoint"
local json = require "host.json"
local made = require "synthetic_model"
local system = require "host.system"
local tensor = require "host.tensor"
local test = require "test"

local NAME, HEAD = "model.layers.0.mlp.up_proj", "lm_head"
local OUT, IN = 6, 32

local function bytes_of(value)
  local overlay = checkpoint.open(system.home() .. "/tests/data/bloom-tiny-bnb-fp4"):overlay()
  tensor.store(overlay, "value", value)
  local entry = overlay:find("value")
  return overlay:bytes("value"), entry.dtype, entry.shape
end

-- A safetensors file with metadata, written by hand.
local function file_of(tensors, metadata)
  local names, header, data, offset = {}, { __metadata__ = metadata }, {}, 0
  for name in pairs(tensors) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    local bytes, dtype, shape = bytes_of(tensors[name])
    header[name] = { dtype = dtype, shape = json.array(shape),
      data_offsets = json.array { offset, offset + #bytes } }
    data[i], offset = bytes, offset + #bytes
  end
  local text = json.encode(header)
  local length = ""
  for i = 0, 7 do length = length .. string.char(math.floor(#text / 256 ^ i) % 256) end
  local path = test.tmpfile(".safetensors")
  system.write_atomic(path, length .. text .. table.concat(data))
  return checkpoint.open(path)
end

local function noise(a, b) return (a * 37 + b * 101 + a * b * 7) % 251 end

local function codes()
  local rows = {}
  for r = 1, OUT do
    rows[r] = {}
    for c = 1, IN do rows[r][c] = noise(r, c) - 125 end
  end
  return rows
end

local function parts()
  local scales = {}
  for r = 1, OUT do scales[r] = { r / 64 } end
  return { [NAME .. "._weight_qdata"] = tensor.from(codes(), "int8"),
    [NAME .. "._weight_scale"] = tensor.from(scales, "float32"),
    [NAME .. "._weight_zero_point"] = tensor.zeros({ OUT, 1 }, "int8"),
    [HEAD .. ".weight"] = tensor.zeros({ 4, IN }, "bfloat16") }
end

local function described(o)
  o = o or {}
  local value = { _type = o.type or "Int8Tensor", _tensor_data_names = json.array(o.names or
    { "zero_point", "qdata", "scale" }), _data = { block_size = json.array(o.block or { 1, IN }),
    dtype = { _type = "torch.dtype", _data = "bfloat16" }, target_dtype = o.target } }
  return { tensor_names = json.encode(json.array { NAME .. ".weight", HEAD .. ".weight" }),
    [NAME .. ".weight"] = o.text or json.encode(value),
    [HEAD .. ".weight"] = '{"_type": "Tensor"}' }
end

local INT8 = '{"_type":"Int8WeightOnlyConfig","_version":2,"_data":{"group_size":null}}'

local function config(object, rest)
  return ('{"quant_method":"torchao","quant_type":{"default":%s}%s}'):format(object, rest
    or ',"modules_to_not_convert":["lm_head"]')
end

local function take(o)
  o = o or {}
  local tensors = parts()
  if o.change then o.change(tensors) end
  local metadata = o.metadata == nil and described() or o.metadata or nil
  return made.take { modules = { made.linear(NAME, OUT, IN), made.linear(HEAD, 4, IN) },
    config = o.config or config(INT8), checkpoint = file_of(tensors, metadata) }
end

test("int8: code times the scale of its row, and the weight's own dtype to transformers", function()
  local taken = take()
  test.equal(made.facts(taken), {})
  local row = taken.census.by_name[NAME]
  test.equal(row.parameters.weight, { dtype = "bfloat16", shape = { OUT, IN } })
  test.equal(row.footprint, 2 * OUT * IN)
  local decoded = made.decoded(taken, NAME):tolist()
  for r, line in ipairs(codes()) do
    for c, code in ipairs(line) do test.equal(decoded[r][c], code * r / 64) end
  end
end)

test("zero points are subtracted before scaling", function()
  local taken = take { change = function(t)
    t[NAME .. "._weight_zero_point"] = tensor.zeros({ OUT, 1 }, "int8") + 3
  end }
  test.equal(made.decoded(taken, NAME):tolist()[2][5], (codes()[2][5] - 3) * 2 / 64)
end)

test("int4: low nibbles first, offsets added after scaling, groups along the first axis", function()
  local words, scales, offsets = {}, {}, {}
  for r = 1, OUT do
    words[r] = {}
    for c = 1, IN / 2 do words[r][c] = noise(r, c) % 256 end
  end
  for g = 1, 2 do
    scales[g], offsets[g] = {}, {}
    for r = 1, OUT do scales[g][r], offsets[g][r] = g * r / 32, r - g end
  end
  local taken = take { metadata = described { type = "Int4Tensor", block = { 1, IN / 2 } },
    config = config('{"_type":"Int4WeightOnlyConfig","_version":2,"_data":{"group_size":16}}'),
    change = function(t)
      t[NAME .. "._weight_qdata"] = tensor.from(words, "uint8"):view("int8")
      t[NAME .. "._weight_scale"] = tensor.from(scales)
      t[NAME .. "._weight_zero_point"] = tensor.from(offsets)
    end }
  test.equal(made.facts(taken), {})
  local decoded = made.decoded(taken, NAME):tolist()
  for r = 1, OUT do
    for c = 1, IN do
      local byte = words[r][math.ceil(c / 2)]
      local code = c % 2 == 1 and byte % 16 or math.floor(byte / 16)
      if code > 7 then code = code - 16 end
      local g = math.ceil(c / (IN / 2))
      test.equal(decoded[r][c], code * scales[g][r] + offsets[g][r])
    end
  end
end)

test("a tiled tensor is named and not decoded", function()
  local taken = take { metadata = described { type = "Int4TilePackedTo4dTensor",
      names = { "qdata", "scale_and_zero" } },
    config = config('{"_type":"Int4WeightOnlyConfig","_data":{"int4_packing_format":'
      .. '"tile_packed_to_4d"}}'),
    change = function(t)
      t[NAME .. "._weight_zero_point"], t[NAME .. "._weight_scale"] = nil, nil
      t[NAME .. "._weight_qdata"] = tensor.zeros({ 1, 1, 32, 4 }, "int32")
      t[NAME .. "._weight_scale_and_zero"] = tensor.zeros({ 2, OUT, 2 }, "bfloat16")
    end }
  test.equal(made.facts(taken), {})
  test.raises("cannot decode .*tinygemm", made.decoded, taken, NAME)
end)

test("a file without metadata, which transformers refuses", function()
  test.equal(made.facts(take { metadata = false }), { ("companion %s weight: no metadata of "
    .. "torchao in the file, wanted the tensor's class and block_size"):format(NAME) })
end)

test("a part that the metadata names and the file lacks", function()
  local facts = made.facts(take { change = function(t) t[NAME .. "._weight_scale"] = nil end })
  test.equal(facts[1], ("companion %s _weight_scale: missing, wanted F32 or BF16 or F16 [6 x 1]")
    :format(NAME))
end)

test("blocks that do not divide the weight", function()
  local facts = made.facts(take { metadata = described { block = { 1, 5 } } })
  test.ok(table.concat(facts, "\n"):find("block_size: 6 x 32 in blocks of 1 x 5", 1, true))
end)

for what, block in pairs { zero = "[0,32]", negative = "[-1,32]", text = '"all"',
    huge = "[1,1e300]", fraction = "[1,0.5]", none = "null", short = "[32]" } do
  test("a block_size that is none is no fault of qspec: " .. what, function()
    local text = ('{"_type":"Int8Tensor","_data":{"block_size":%s},"_tensor_data_names":["qdata",'
      .. '"scale"]}'):format(block)
    local taken = take { metadata = described { text = text } }
    test.ok(#made.facts(taken) > 0 and taken.census.by_name[NAME].status == "broken")
  end)
end

test("metadata that is no JSON is named", function()
  local taken = take { metadata = described { text = "{" } }
  test.equal(made.silent(taken), { ("- %s.weight: metadata that is no JSON object, wanted the "
    .. "class of the tensor and its parts"):format(NAME) })
end)

test("codes outside of the type that the metadata names", function()
  local taken = take { metadata = described { type = "IntxUnpackedToInt8Tensor",
      target = { _type = "torch.dtype", _data = "int4" } },
    config = config('{"_type":"IntxWeightOnlyConfig","_data":{"weight_dtype":{"_type":'
      .. '"torch.dtype","_data":"int4"}}}') }
  test.equal(made.facts(taken), {})
  test.ok(made.value_problems(taken, NAME)[1]:find("codes outside of int4", 1, true))
end)

local function zero_fault(codes_of, zero)
  local taken = take { change = function(t)
    local rows, zeros = {}, {}
    for r = 1, OUT do
      rows[r], zeros[r] = {}, { r == 2 and zero or 0 }
      for c = 1, IN do rows[r][c] = r == 2 and codes_of(c) or c end
    end
    t[NAME .. "._weight_qdata"] = tensor.from(rows, "float32"):to("int8")
    t[NAME .. "._weight_zero_point"] = tensor.from(zeros, "float32"):to("int8")
  end }
  return made.value_problems(taken, NAME)[1]
end

-- From end to end: -128 for the first, 127 for the last.
local function spread(c) return math.floor(-128 + (c - 1) * 255 / (IN - 1)) end

test("a zero point beside codes that leave an end of int8 unused was shifted", function()
  local function around_0(c) return math.floor(-100 + (c - 1) * 227 / (IN - 1)) end
  test.ok(zero_fault(around_0, 1):find("1 of 6 not 0", 1, true))
  test.ok(zero_fault(around_0, -1):find("1 of 6 not 0", 1, true))
  test.equal(zero_fault(around_0, 0), nil)
end)

test("a zero point of asymmetric codes, of a row on one side of 0 and of nothing but 0 is right",
  function()
    test.equal(zero_fault(spread, -11), nil)
    test.equal(zero_fault(function(c) return 127 - c % 30 end, -128), nil)
    test.equal(zero_fault(function() return -128 end, -128), nil)
  end)

test("scales of zero, below zero and not finite", function()
  for value, pattern in pairs { [0] = "6 of 6 are 0", [-1] = "negative",
      [1 / 0] = "6 not finite" } do
    local taken = take { change = function(t)
      t[NAME .. "._weight_scale"] = tensor.zeros({ OUT, 1 }, "float32") + value
    end }
    test.ok(made.value_problems(taken, NAME)[1]:find(pattern, 1, true))
  end
end)

local function rules(text)
  return config(('{"_type":"FqnToConfig","_data":{"fqn_to_config":%s}}'):format(text))
end

local function reason_of(taken)
  local request, reason = taken.requests.of(taken.census.by_name[NAME].module)
  return request and request.type or reason
end

test("rules: the module by name, a pattern that matches all of it, then _default", function()
  local cases = {
    [('{"%s":%s}'):format(NAME, INT8)] = "int8",
    [('{"%s":null,"_default":%s}'):format(NAME, INT8)] = ("the rule '%s' is null"):format(NAME),
    ['{"re:.*up_proj":' .. INT8 .. "}"] = "int8",
    ['{"re:.*up":' .. INT8 .. "}"] = "no rule of FqnToConfig matches it",
    ['{"re:.*up_proj\\\\.weight":null,"_default":' .. INT8 .. "}"] =
      "the rule 're:.*up_proj\\.weight' is null",
    ['{"re:.*down.*":null,"_default":' .. INT8 .. "}"] = "int8",
  }
  for text, wanted in pairs(cases) do
    test.equal(reason_of(take { config = rules(text) }), wanted)
  end
end)

test("a module that no rule matches stays dense in silence, and a dead rule is named", function()
  local taken = take { config = rules(('{"re:.*down_proj":%s}'):format(INT8)) }
  test.equal(made.silent(taken), {
    NAME .. " FqnToConfig: no rule, wanted a rule, null to leave it alone",
    "- re:.*down_proj: matches no linear module, wanted a module that the rule is for" })
end)

test("a skip list is compared with the parameter: a module's last name is none", function()
  local function asked(list)
    return reason_of(take { config = config(INT8, ',"modules_to_not_convert":' .. list) })
  end
  test.equal(asked '["up_proj"]', "int8")
  test.equal(asked '["up_proj.weight"]', "excluded by 'up_proj.weight' (config)")
  test.equal(asked '["model.layers.0"]', "excluded by 'model.layers.0' (config)")
end)

test("a text for quant_type, as transformers 4 wrote it, is a problem of the config", function()
  local taken = take { config = '{"quant_method":"torchao","quant_type":"int8_weight_only"}' }
  test.equal(taken.requested.problem, "quant_type is the text 'int8_weight_only'")
end)

test("a config of an unknown type is a problem, not an error", function()
  for _, object in ipairs { '{"_type":"NewConfig"}', "{}", "[]", "null", "3" } do
    test.ok(take { config = config(object) }.requested.problem)
  end
end)

test("packings for one kernel only are named in the problem", function()
  for _, packing in ipairs { "preshuffled", "marlin_sparse", "opaque" } do
    local object = ('{"_type":"Int4WeightOnlyConfig","_data":{"int4_packing_format":{"_type":'
      .. '"Int4PackingFormat","_data":"%s"}}}'):format(packing)
    test.equal(take { config = config(object) }.requested.problem, ("int4_packing_format '%s', "
      .. "which torchao does not write into safetensors"):format(packing))
  end
end)

test("whole symmetric rows are multiplied as integers and scaled after that", function()
  local row = take().census.by_name[NAME]
  local bound = row.layout.linear(row.weight, {})
  test.equal(bound.weight:decode("float32"):tolist(), codes())
  test.equal(bound.output_scale:tolist()[3], 3 / 64)
  test.equal(bound.bias_apart, true)
end)

test("rows with a zero point are multiplied by the decoded weight", function()
  local row = take { change = function(t)
    t[NAME .. "._weight_zero_point"] = tensor.zeros({ OUT, 1 }, "int8") + 3
  end }.census.by_name[NAME]
  local bound = row.layout.linear(row.weight, {})
  test.equal(bound.output_scale, nil)
  test.equal(bound.weight:decode("float32"):tolist()[2][5], (codes()[2][5] - 3) * 2 / 64)
end)
