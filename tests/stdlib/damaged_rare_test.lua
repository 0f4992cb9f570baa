-- The rarer formats, whole and damaged: a whole weight contradicts nothing, and no damage of a
-- tensor or of a config is an error of qspec.

local json = require "host.json"
local made = require "synthetic_model"
local specimens = require "rare_specimens"
local tensor = require "host.tensor"
local test = require "test"

local function suffixes(format)
  local list = {}
  for suffix in pairs(specimens.all[format].tensors()) do list[#list + 1] = suffix end
  table.sort(list)
  return list
end

-- Everything that a check asks of a weight.
local function ask_all(taken)
  local row = taken.census.by_name[specimens.name]
  local facts = #made.facts(taken)
  if row.layout and row.status ~= "broken" and row.layout.value_problems then
    facts = facts + #made.value_problems(taken, specimens.name)
  end
  return facts
end

for _, format in ipairs(specimens.names()) do
  test(format .. ": a whole weight contradicts nothing", function()
    local taken = specimens.take(format)
    test.equal(made.facts(taken), {})
    test.equal(taken.problems, {})
    test.equal(taken.census.by_name[specimens.name].format, format)
    local row = taken.census.by_name[specimens.name]
    if row.layout.value_problems then
      test.equal(made.value_problems(taken, specimens.name), {})
    end
    local reason = require("qspec.weights").undecodable(row)
    if not reason then
      test.equal(made.decoded(taken, specimens.name):shape(), { specimens.out, specimens.ins })
    end
  end)

  local optional = { hqq = { packing = true, compute_dtype = true, view_as_float = true,
    quant_scale = true, quant_zero = true, channel_wise = true, group_size = true },
    gemma = { input_activation_scale = true, output_activation_scale = true } }

  for _, suffix in ipairs(suffixes(format)) do
    if not (optional[format] and optional[format][suffix]) and not suffix:find("^meta") then
      test(("%s: %s that is missing is a finding"):format(format, suffix), function()
        local taken = specimens.take(format, function(t) t[suffix] = nil end)
        test.ok(#made.facts(taken) > 0)
      end)
    end

    test(("%s: %s of another shape or dtype is no error"):format(format, suffix), function()
      for _, wrong in ipairs { tensor.zeros { 3 }, tensor.zeros({}, "int64"), tensor.zeros { 0 },
          tensor.zeros({ 2, 3, 1 }, "uint8"), tensor.zeros({ 1, 1, 1, 1, 1 }, "int8"),
          tensor.zeros { 8, 0 } } do
        ask_all(specimens.take(format, function(t) t[suffix] = wrong end))
      end
    end)
  end

  test(format .. ": a tensor that is none of its own is a finding", function()
    local taken = specimens.take(format, function(t) t.stranger = tensor.zeros { 2 } end)
    test.ok(table.concat(made.facts(taken), "\n"):find("stranger", 1, true))
  end)
end

local HOSTILE = { "0", "-1", "1e308", "0.5", '"4"', "null", "[]", "{}", "true", "[4]", '{"a":1}',
  "9007199254740993" }

-- Calls visit(holder, key) for every value of an object, however deep.
local function each_value(object, visit)
  for _, key in ipairs(json.keys(object)) do
    if type(object[key]) == "table" and not json.is_array(object[key]) then
      each_value(object[key], visit)
    end
    visit(object, key)
  end
end

local function values_of(format)
  local count = 0
  each_value(json.decode(specimens.all[format].config, "config"), function() count = count + 1 end)
  return count
end

-- The config with its value number `place` replaced.
local function replaced(format, place, value)
  local raw, at, method = json.decode(specimens.all[format].config, "config"), 0, false
  each_value(raw, function(holder, key)
    at = at + 1
    if at ~= place then return end
    method = key == "quant_method"
    holder[key] = json.decode(value, "value")
  end)
  return raw, method
end

for _, format in ipairs(specimens.names()) do
  test(format .. ": hostile values of its config are no errors", function()
    for place = 1, values_of(format) do
      for _, value in ipairs(HOSTILE) do
        local raw, is_method = replaced(format, place, value)
        local is_known = format ~= "mlx" or type(raw.bits) == "number"
          and type(raw.group_size) == "number"
        if is_known and not is_method then
          ask_all(specimens.take(format, nil, json.encode(raw)))
        end
      end
    end
  end)
end
