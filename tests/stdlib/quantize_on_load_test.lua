-- What the engine makes of bloom-tiny, against what bitsandbytes made of it on a GPU.

local test = require "test"
local Subject = require "qspec.subject"
local codebooks = require "qspec.layouts.bnb_codebooks"
local registry = require "qspec.registry"
local schema = require "qspec.schema"
local system = require "host.system"
local tensor = require "host.tensor"

local MOST_DIFFERENT = 1 / 20000
local ULPS = 2

local function quantized(options)
  local format = registry("formats").get("bitsandbytes")
  return Subject.new { name = "bloom-tiny", path = system.home() .. "/examples/models/bloom-tiny",
    quantize = { format = format,
      options = schema.check(format.quantizer.params, options, "bitsandbytes") } }
end

local function fixture(path)
  return Subject.new { name = path, path = system.home() .. "/" .. path }
end

local function read(subject, name)
  return tensor.read(subject.checkpoint, name)
end

-- Every tensor of the fixture is there, of its dtype and shape, and equal unless `differs` says.
local function expect_equal(got, wanted, differs)
  for _, entry in ipairs(wanted.checkpoint:tensors()) do
    local found = got.checkpoint:find(entry.name)
    test.ok(found, "there is no " .. entry.name)
    if not entry.name:find("quant_state", 1, true) then
      test.equal(found.dtype, entry.dtype, entry.name)
      test.equal(found.shape, entry.shape, entry.name)
      if not differs(entry.name) then
        test.ok(read(got, entry.name):equal(read(wanted, entry.name)), entry.name .. " differs")
      end
    end
  end
  test.equal(#got.checkpoint:tensors(), #wanted.checkpoint:tensors())
end

local function expect_same_states(got, wanted)
  for _, row in ipairs(wanted.census.modules) do
    if row.layout then
      test.equal(got.census.by_name[row.name].scheme.state, row.scheme.state, row.name)
    end
  end
end

local function none() return false end

local function linears(subject)
  local list = {}
  for _, row in ipairs(subject.census.modules) do
    if row.layout then list[#list + 1] = row.name end
  end
  return list
end

test("nf4: every code, absmax, codebook and state is that of bitsandbytes", function()
  local got = quantized { bits = 4, type = "nf4", compute_dtype = "float16" }
  local wanted = fixture "examples/models/bloom-tiny-bnb-nf4"
  expect_equal(got, wanted, none)
  expect_same_states(got, wanted)
  test.equal(#linears(wanted), 16)
end)

test("nf4 with double quantization: every nested part is that of bitsandbytes too", function()
  local got = quantized { bits = 4, type = "nf4", double_quant = true, compute_dtype = "float16" }
  local wanted = fixture "tests/data/bloom-tiny-bnb-nf4dq"
  expect_equal(got, wanted, none)
  expect_same_states(got, wanted)
end)

local function codes4(packed)
  local bytes = packed:flatten():to("int32")
  return tensor.cat({ bytes:rshift(4):reshape(-1, 1), bytes:band(15):reshape(-1, 1) }, 2):flatten()
end

local function ulp(value)
  return 2 ^ (math.floor(math.log(value) / math.log(2)) - 23)
end

-- Where |x| is within two units in the last place of one of the thresholds.
local function near_a_threshold(x, thresholds)
  local near
  for _, threshold in ipairs(thresholds) do
    local close = (x:abs() - threshold):abs():le(ULPS * ulp(threshold))
    near = near and near:logical_or(close) or close
  end
  return near
end

-- The place of a code among the values of the codebook, in order.
local function ranks(values)
  local sorted = {}
  for i, value in ipairs(values) do sorted[i] = value end
  table.sort(sorted)
  local list = {}
  for i, value in ipairs(values) do
    local rank = 0
    for place = 2, 16 do
      if sorted[place] <= value and sorted[place] ~= sorted[place - 1] then rank = rank + 1 end
    end
    list[i] = rank
  end
  return tensor.from(list, "int32")
end

test("fp4: codes differ only at ties of the GPU's reciprocal, by one step", function()
  local got = quantized { bits = 4, type = "fp4", compute_dtype = "float16" }
  local wanted = fixture "tests/data/bloom-tiny-bnb-fp4"
  expect_equal(got, wanted, function(name) return name:find("%.weight$") ~= nil end)
  local places, total, different = ranks(codebooks.fp4.values), 0, 0
  for _, name in ipairs(linears(wanted)) do
    local mine = places:index_select(1, codes4(read(got, name .. ".weight")) + 1)
    local theirs = places:index_select(1, codes4(read(wanted, name .. ".weight")) + 1)
    local absmax = read(got, name .. ".weight.absmax")
    local weight = tensor.read(got.stored, name .. ".weight"):to("float32")
    local inverse = (tensor.from(1, "float32") / absmax):reshape(-1, 1)
    local x = (weight:reshape(-1, 64) * inverse):flatten()
    local differs = mine:ne(theirs)
    local far = near_a_threshold(x, codebooks.fp4.rule.thresholds):logical_not()
    test.equal(differs:logical_and(far):count_nonzero(), 0, name .. ": differences away from ties")
    test.ok((mine - theirs):abs():max() <= 1, name .. ": more than one step")
    total, different = total + x:numel(), different + differs:count_nonzero()
  end
  test.ok(different <= total * MOST_DIFFERENT, ("%d of %d differ"):format(different, total))
end)

test("int8: codes differ only at ties of rounding, by one, and every SCB is equal", function()
  local got = quantized { bits = 8 }
  local wanted = fixture "tests/data/bloom-tiny-bnb-int8"
  expect_equal(got, wanted, function(name) return name:find("%.weight$") ~= nil end)
  local total, different = 0, 0
  for _, name in ipairs(linears(wanted)) do
    local mine = read(got, name .. ".weight"):to("int32")
    local theirs = read(wanted, name .. ".weight"):to("int32")
    local absmax = read(got, name .. ".SCB"):reshape(-1, 1)
    local x = (tensor.read(got.stored, name .. ".weight"):to("float64") * 127 / absmax):abs()
    local from_tie = (x - x:floor() - 0.5):abs()
    local differs = mine:ne(theirs)
    local far = from_tie:gt(x * 2 ^ -23)  -- at most two units in the last place of x
    test.equal(differs:logical_and(far):count_nonzero(), 0, name .. ": differences away from ties")
    test.ok((mine - theirs):abs():max() <= 1, name .. ": more than one step")
    total, different = total + mine:numel(), different + differs:count_nonzero()
  end
  test.ok(different <= total * MOST_DIFFERENT, ("%d of %d differ"):format(different, total))
end)
