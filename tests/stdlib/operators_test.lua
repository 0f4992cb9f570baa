-- Each mutation operator does what it is defined to do, on the bytes of a real checkpoint.

local bit = require "bit"
local json = require "host.json"
local registry = require "qspec.registry"
local survey = require "qspec.mutation.survey"
local system = require "host.system"
local tensor = require "host.tensor"
local test = require "test"
local Subject = require "qspec.subject"

local HOME = system.home()
local opened = {}

local function fixture(path, baseline)
  if not opened[path] then
    opened[path] = Subject.new { name = path, path = HOME .. "/" .. path,
      baseline = Subject.new { name = baseline, path = HOME .. "/" .. baseline } }
  end
  return opened[path]
end

local function nf4()
  return fixture("examples/models/bloom-tiny-bnb-nf4", "examples/models/bloom-tiny")
end

local function gptq()
  return fixture("tests/data/qwen2-tiny-gptq4act", "tests/data/qwen2-tiny")
end

local function fp8()
  return fixture("tests/data/qwen2-tiny-ct-fp8_dynamic", "tests/data/qwen2-tiny")
end

local function mutant_of(subject, operator, variant, dose)
  for _, plan in ipairs((survey.plan(subject, { registry("operators").get(operator) }))) do
    if plan.variant.name == (variant or "") and plan.dose == (dose or "once") then
      return survey.make(subject, plan)
    end
  end
  error(("%s has no mutant %s %s"):format(operator, tostring(variant), tostring(dose)))
end

local function touched(mutant)
  local names = {}
  for name in pairs(mutant.touched) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- The one tensor that a mutant changed: name, bytes before, bytes after.
local function changed(mutant)
  local names = touched(mutant)
  test.equal(#names, 1, "tensors that were changed")
  local before, after = mutant.genuine.stored, mutant.stored
  return names[1], before:bytes(names[1], 2 ^ 30), after:bytes(names[1], 2 ^ 30)
end

local function values(mutant)
  local name = touched(mutant)[1]
  local function read(stored)
    return tensor.read(stored, name):to("float32"):flatten():tolist(2e6)
  end
  return read(mutant.genuine.stored), read(mutant.stored)
end

local function differing(before, after)
  local places = {}
  for i = 1, #before do
    local same = before[i] == after[i] or before[i] ~= before[i] and after[i] ~= after[i]
    if not same then places[#places + 1] = i end
  end
  return places
end

test("M01 to M25 and R1 to R4 have an operator each, which breaks or plays", function()
  local seen = {}
  for _, operator in ipairs(registry("operators").all()) do
    test.ok(operator.id:find("^[GHM]%d%d$") or operator.id:find("^R%d$"), operator.name)
    test.ok((operator.mutate == nil) == (operator.play ~= nil), operator.name)
    seen[operator.id] = true
  end
  for i = 1, 25 do test.ok(seen[("M%02d"):format(i)], ("there is no M%02d"):format(i)) end
  for i = 1, 4 do test.ok(seen["R" .. i], "there is no R" .. i) end
  test.ok(not seen.M26 and not seen.M00 and not seen.R5)
end)

test("a mutant leaves the genuine checkpoint as it is", function()
  local subject = nf4()
  local before = system.sha256_file(subject:file("model.safetensors"))
  mutant_of(subject, "set_scale", "0", "all")
  mutant_of(subject, "config_drop", "deleted")
  test.equal(system.sha256_file(subject:file("model.safetensors")), before)
  test.ok(subject.raw.quantization_config)
end)

test("a mutant of one name is the same mutant every time", function()
  local first = changed(mutant_of(nf4(), "nibble_swap", "", "module"))
  for _ = 1, 3 do test.equal(changed(mutant_of(nf4(), "nibble_swap", "", "module")), first) end
end)

test("nibble_swap exchanges the two halves of every byte of a module", function()
  local _, before, after = changed(mutant_of(nf4(), "nibble_swap", "", "module"))
  test.equal(#after, #before)
  for i = 1, #before, 997 do
    local x = before:byte(i)
    test.equal(after:byte(i), bit.band(bit.bor(bit.lshift(x, 4), bit.rshift(x, 4)), 0xff))
  end
end)

test("nibble_swap of one block changes the 32 bytes of 64 codes and no other", function()
  local _, before, after = changed(mutant_of(nf4(), "nibble_swap", "", "block"))
  local first, last
  for i = 1, #before do
    if before:byte(i) ~= after:byte(i) then first, last = first or i, i end
  end
  test.ok(first and math.floor((first - 1) / 32) == math.floor((last - 1) / 32))
end)

test("code_map flips the highest bit of both codes of a byte", function()
  local _, before, after = changed(mutant_of(nf4(), "code_map", "sign bit", "module"))
  for i = 1, #before, 991 do
    test.equal(after:byte(i), bit.bxor(before:byte(i), 0x88))
  end
end)

test("set_scale sets one scale of a block, those of an output feature, or all", function()
  for dose, wanted in pairs { block = 1, module = "all" } do
    local before, after = values(mutant_of(nf4(), "set_scale", "0", dose))
    local places = differing(before, after)
    test.equal(#places, wanted == "all" and #before or wanted, dose)
    for _, i in ipairs(places) do test.equal(after[i], 0) end
  end
end)

test("set_scale NaN reaches scales in exponent and half types as well", function()
  for _, subject in ipairs { gptq(), fp8() } do
    local before, after = values(mutant_of(subject, "set_scale", "NaN", "block"))
    local places = differing(before, after)
    test.equal(#places, 1)
    test.ok(after[places[1]] ~= after[places[1]])
  end
end)

test("scale_gain multiplies by its factor and keeps the dtype", function()
  local mutant = mutant_of(gptq(), "scale_gain", "x 2", "module")
  local before, after = values(mutant)
  for i = 1, #before do test.equal(after[i], before[i] * 2) end
  test.equal(mutant.stored:find(touched(mutant)[1]).dtype, "F16")
end)

test("scale_transpose keeps the shape and lays the scales column by column", function()
  local mutant = mutant_of(gptq(), "scale_transpose", "", "module")
  local before, after = values(mutant)
  local shape = mutant.stored:find(touched(mutant)[1]).shape
  local rows, columns = shape[1], shape[2]
  for r = 0, rows - 1 do
    for c = 0, columns - 1 do
      test.equal(after[c * rows + r + 1], before[r * columns + c + 1])
    end
  end
end)

test("scale_regroup gives each group the scale of the one before", function()
  local mutant = mutant_of(gptq(), "scale_regroup", "rolled by a group", "module")
  local before, after = values(mutant)
  local shape = mutant.stored:find(touched(mutant)[1]).shape
  local groups, features = shape[1], shape[2]
  for g = 0, groups - 1 do
    for o = 1, features, 7 do
      test.equal(after[g * features + o], before[(g - 1) % groups * features + o])
    end
  end
end)

-- Field k of the little-endian words of a text.
local function nibble(text, k)
  local byte = text:byte(math.floor(k / 2) + 1)
  return k % 2 == 0 and byte % 16 or math.floor(byte / 16)
end

test("zero_shift takes one from every zero point, modulo 16", function()
  local _, before, after = changed(mutant_of(gptq(), "zero_shift", "-1", "module"))
  for k = 0, 2 * #before - 1 do test.equal(nibble(after, k), (nibble(before, k) - 1) % 16) end
end)

test("pack_order lays the codes of each word out as AWQ does", function()
  local _, before, after = changed(mutant_of(gptq(), "pack_order", "AWQ's order in every word",
    "module"))
  local order = { 0, 2, 4, 6, 1, 3, 5, 7 }
  for word = 0, #before / 4 - 1, 13 do
    for k = 0, 7 do
      test.equal(nibble(after, word * 8 + k), nibble(before, word * 8 + order[k + 1]))
    end
  end
end)

test("weight_transpose holds the transposed codes in the old shape", function()
  local mutant = mutant_of(gptq(), "weight_transpose", "", "module")
  local name = touched(mutant)[1]:gsub("%.qweight$", "")
  local row = mutant.genuine.census.by_name[name]
  local after = mutant:subject().census.by_name[name]
  local wanted = row.layout.codes(row.weight):t():contiguous():reshape(row.weight.shape)
  test.ok(after.layout.codes(after.weight):equal(wanted))
end)

test("codes that are taken out and put back are the same bytes in every layout", function()
  for _, subject in ipairs { nf4(), gptq(), fp8() } do
    local tried = 0
    for _, row in ipairs(subject.census.modules) do
      if row.layout and row.layout.codes then
        local again = row.layout.recode(row.weight, row.layout.codes(row.weight):contiguous())
        test.ok(again:equal(tensor.read(subject.checkpoint, row.codes.name)), row.name)
        tried = tried + 1
      end
    end
    test.ok(tried > 0)
  end
end)

test("group_order puts the features of each group in order", function()
  local _, after = values(mutant_of(gptq(), "group_order", "in order", "module"))
  for i = 1, #after do test.equal(after[i], math.floor((i - 1) / 64)) end
end)

test("unquant leaves the baseline's weight and no companion", function()
  local mutant = mutant_of(nf4(), "unquant", "float16", "module")
  local row = mutant:subject().census.by_name[touched(mutant)[1]:match("^(.*)%.weight")]
  test.equal(row.layout, nil)
  test.equal(row.holding.list, row.holding.tensors.bias and { "bias", "weight" } or { "weight" })
  local baseline = mutant.genuine.baseline.checkpoint
  test.ok(tensor.read(mutant.stored, row.name .. ".weight"):equal(
    tensor.read(baseline, row.name .. ".weight")))
end)

test("drop_companion takes the companion of one module and nothing else", function()
  local mutant = mutant_of(nf4(), "drop_companion", "weight.absmax", "module")
  local names = touched(mutant)
  test.equal(#names, 1)
  test.equal(mutant.stored:find(names[1]), nil)
  test.equal(#mutant.stored:tensors(), #mutant.genuine.stored:tensors() - 1)
end)

test("value_cast stores the codes of fp8 as numbers and drops the scales", function()
  local mutant = mutant_of(fp8(), "value_cast", "codes to bfloat16, scales dropped", "module")
  local name = touched(mutant)[1]:match("^(.*)%.[^.]+$")
  test.equal(mutant.stored:find(name .. ".weight_scale"), nil)
  local codes = tensor.read(mutant.genuine.stored, name .. ".weight"):to("bfloat16")
  test.ok(tensor.read(mutant.stored, name .. ".weight"):equal(codes))
end)

test("config_field changes one field of every copy of the config", function()
  local mutant = mutant_of(gptq(), "config_field", "quantization_config.group_size")
  local inside = json.decode(mutant.folder:text("config.json")).quantization_config.group_size
  local beside = json.decode(mutant.folder:text("quantize_config.json")).group_size
  test.equal({ inside, beside }, { 128, 128 })
end)

test("config_field keeps floats floats", function()
  local mutant = mutant_of(nf4(), "config_field", "quantization_config.bnb_4bit_quant_type")
  test.ok(mutant.folder:text("config.json"):find('"llm_int8_threshold": 6.0', 1, true))
end)

test("ignore_edit writes the defaults out before it changes them", function()
  local mutant = mutant_of(nf4(), "ignore_edit", "dead entry")
  local q = json.decode(mutant.folder:text("config.json")).quantization_config
  local list = q.llm_int8_skip_modules
  test.equal(list[#list], "no_such_module")
  test.ok(#list > 1)
end)

local function problems_of(mutant)
  local kinds = {}
  for _, problem in ipairs(mutant.stored:problems()) do kinds[#kinds + 1] = problem.kind end
  return kinds
end

test("a model that is split in two for an index has no problem by that", function()
  local mutant = mutant_of(nf4(), "tensor_loss", "companion moved to another shard")
  test.equal(problems_of(mutant), {})
end)

test("tensor_loss makes the index disagree in one way at a time", function()
  for variant, kind in pairs {
    ["ghost in the index"] = "ghost", ["not in the index"] = "unlisted",
    ["in another shard than the index says"] = "misplaced", ["wrong total_size"] = "total_size",
  } do
    test.equal(problems_of(mutant_of(nf4(), "tensor_loss", variant)), { kind }, variant)
  end
end)

test("quant_excluded packs the head as the other weights are packed", function()
  for _, subject in ipairs { nf4(), gptq() } do
    local mutant = mutant_of(subject, "quant_excluded", "lm_head")
    local row = mutant:subject().census.by_name.lm_head
    test.ok(row.layout ~= nil and row.status ~= "broken", subject.name)
    local weights = require "qspec.weights"
    local wanted = weights.read(subject.census.by_name[row.tied_to], subject.checkpoint)
    row.status = "ok"
    local result = weights.packed(row):compare(wanted)
    test.ok(result.sqnr_db > 15, ("%s: %.2f dB"):format(subject.name, result.sqnr_db))
  end
end)

test("requant moves weights by less than a step of the coarser grid", function()
  local mutant = mutant_of(nf4(), "requant", "", "module")
  local name = touched(mutant)[1]:gsub("%.weight$", "")
  local weights = require "qspec.weights"
  local before = weights.read(mutant.genuine.census.by_name[name], mutant.genuine.checkpoint)
  local after = weights.read(mutant:subject().census.by_name[name], mutant.stored)
  local result = after:compare(before)
  test.ok(result.sqnr_db > 14 and result.sqnr_db < 40, ("%.2f dB"):format(result.sqnr_db))
end)

test("half_smooth scales one channel of a norm and leaves the weights", function()
  local before, after = values(mutant_of(nf4(), "half_smooth", "x 2", "block"))
  local places = differing(before, after)
  test.equal(#places, 1)
  test.equal(after[places[1]], before[places[1]] * 2)
end)

test("slice_permute exchanges the first two thirds of a fused weight", function()
  local mutant = mutant_of(nf4(), "slice_permute", "slices of a fused weight", "module")
  local name = touched(mutant)[1]:gsub("%.weight$", "")
  local row = mutant.genuine.census.by_name[name]
  local after = mutant:subject().census.by_name[name]
  local third = row.weight.shape[1] / 3
  local old, new = row.layout.codes(row.weight), after.layout.codes(after.weight)
  test.ok(new:narrow(1, 1, third):equal(old:narrow(1, third + 1, third)))
  test.ok(new:narrow(1, third + 1, third):equal(old:narrow(1, 1, third)))
  test.ok(new:narrow(1, 2 * third + 1, third):equal(old:narrow(1, 2 * third + 1, third)))
end)

test("sidecar edits a file in memory and not on disk", function()
  local mutant = mutant_of(nf4(), "sidecar", "another end token")
  local before = nf4().generation_config.eos_token_id
  test.equal(mutant:subject().generation_config.eos_token_id, before + 1)
  test.equal(json.read(nf4():file("generation_config.json")).eos_token_id, before)
end)

test("an operator says why it does not fit a checkpoint", function()
  local dense = Subject.new { name = "dense", path = HOME .. "/examples/models/bloom-tiny" }
  for _, name in ipairs { "nibble_swap", "drop_companion", "zero_shift", "group_order" } do
    local fits, reason = registry("operators").get(name).applies(dense)
    test.ok(not fits and type(reason) == "string", name)
  end
end)
