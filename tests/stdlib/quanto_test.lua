-- optimum-quanto: what its weights stand for, its map of modules, and each way to be wrong.

local made = require "synthetic_model"
local quanto = require "qspec.formats.quanto"
local rare = require "rare_specimens"
local tensor = require "host.tensor"
local test = require "test"
local weight = require "qspec.layouts.quanto_weight"

local INT4 = '{"quant_method":"quanto","weights":"int4","modules_to_not_convert":[]}'

test("8 bits: code times the scale of its row", function()
  local taken = rare.take "quanto"
  local decoded = made.decoded(taken, rare.name):tolist()
  test.equal(decoded[3][5], (rare.noise(3, 5) - 125) * (3 + 1) / 32)
end)

test("4 bits: the first half of the rows lies in the low nibbles; shift after scaling", function()
  local bytes, scale, shift
  local taken = rare.take("quanto", function(t)
    t["weight._data"] = nil
    t["weight._data._data"], bytes = rare.filled(4, 64, "uint8")
    t["weight._scale"], scale = rare.filled(8, 1, "float32", function(r) return r / 8 end)
    t["weight._shift"], shift = rare.filled(8, 1, "float32", function(r) return r * 3 / 8 end)
  end, INT4)
  test.equal(made.facts(taken), {})
  local decoded = made.decoded(taken, rare.name):tolist()
  for r = 1, 8 do
    for c = 1, 64 do
      local byte = bytes[(r - 1) % 4 + 1][c]
      local code = r <= 4 and byte % 16 or math.floor(byte / 16)
      test.equal(decoded[r][c], code * scale[r][1] - shift[r][1])
    end
  end
end)

test("an integer shift is subtracted from the code", function()
  local taken = rare.take("quanto", function(t)
    t["weight._data"] = nil
    t["weight._data._data"] = tensor.zeros({ 4, 64 }, "uint8") + 0x53
    t["weight._scale"] = tensor.zeros({ 8, 1 }) + 0.5
    t["weight._shift"] = tensor.zeros({ 8, 1 }, "int8") + 7
  end, INT4)
  local decoded = made.decoded(taken, rare.name):tolist()
  test.equal({ decoded[1][1], decoded[8][1] }, { (3 - 7) / 2, (5 - 7) / 2 })
end)

test("groups are 128 columns, less 32 until they divide", function()
  test.equal({ weight.group_size { 8, 256 }, weight.group_size { 8, 128 } or "row",
    weight.group_size { 8, 480 }, weight.group_size { 8, 160 }, weight.group_size { 8, 161 }
    or "row" }, { 128, "row", 96, 32, "row" })
end)

test("quanto_qmap.json names what optimum replaces", function()
  local raw = quanto.files["quanto_qmap.json"]({ a = { weights = "qint4" },
    b = { weights = "qint4" }, c = { weights = "qint8" } }, {})
  test.equal({ raw.quant_method, raw.weights }, { "quanto", "int4" })
  local requests = quanto.requests { requested = quanto.requested { weights = "int4",
    qmap = raw.qmap } }
  test.equal(requests.of({ name = "c" }).type, "int8")
  local _, reason = requests.of { name = "d" }
  test.equal(reason, "quanto_qmap.json does not name it")
end)

test("a map of modules that the model does not have", function()
  local subject = { quantization_values = { qmap = { gone = {} } }, census = { by_name = {} } }
  test.equal(quanto.silent(subject)[1].key, "gone")
end)

test("a scale of 0 over a row that holds codes", function()
  local taken = rare.take("quanto", function(t) t["weight._scale"] = tensor.zeros { 8, 1 } end)
  test.ok(made.value_problems(taken, rare.name)[1]:find("0 over 8 rows that hold codes", 1, true))
end)

test("transformers counts the weight as it was, and two scalars", function()
  test.equal(rare.take("quanto").census.by_name[rare.name].footprint, 2 * 8 * 64 + 8)
end)
