-- What surrounds the operators: folders, doses, equivalence, scores, selection, files on disk.

local doses = require "qspec.mutation.doses"
local equivalence = require "qspec.mutation.equivalence"
local random = require "qspec.mutation.random"
local registry = require "qspec.registry"
local selection = require "qspec.mutation.selection"
local survey = require "qspec.mutation.survey"
local system = require "host.system"
local test = require "test"
local writer = require "qspec.mutation.writer"
local Folder = require "qspec.folder"
local Mutant = require "qspec.mutation.mutant"
local Subject = require "qspec.subject"

local NF4 = system.home() .. "/examples/models/bloom-tiny-bnb-nf4"

local function genuine()
  return Subject.new { name = "nf4", path = NF4 }
end

test("a folder shows files that were put, and not those that were dropped", function()
  local folder = Folder.new(NF4):overlay()
  folder:put("extra.json", "{}")
  folder:drop("tokenizer.json")
  test.ok(folder:has("extra.json") and not folder:has("tokenizer.json"))
  test.ok(folder:has("config.json"))
  local names = table.concat(folder:list(), " ")
  test.ok(names:find("extra.json", 1, true) and not names:find("tokenizer.json", 1, true))
  test.raises("no such file", folder.text, folder, "tokenizer.json")
end)

test("an overlay of a folder leaves the one below as it is", function()
  local below = Folder.new(NF4)
  below:overlay():drop("config.json")
  test.ok(below:has("config.json"))
end)

test("JSON of a file in memory keeps its kinds", function()
  local folder = Folder.new(NF4):overlay()
  folder:put("x.json", '{"a": 1.0}')
  local _, kinds = folder:json("x.json")
  test.equal(kinds.a, "float")
end)

test("random choices follow from the name alone and reach all of a list", function()
  local seen = {}
  for i = 1, 200 do
    test.equal(random.of("mutant " .. i):below(7), random.of("mutant " .. i):below(7))
    seen[random.of("mutant " .. i):below(7)] = true
  end
  test.equal(#seen, 7)
end)

local function named(...)
  local rows = {}
  for i, name in ipairs { ... } do rows[i] = { name = name } end
  return rows
end

test("a dose of a layer takes the rows of one layer", function()
  local rows = named("m.0.a", "m.0.b", "m.1.a", "m.1.b", "m.10.a")
  local taken = doses.rows({ random = random.of "x" }, "layer", rows)
  local layer = taken[1].name:match("^m%.%d+%.")
  local count = 0
  for _, row in ipairs(rows) do
    if row.name:sub(1, #layer) == layer then count = count + 1 end
  end
  test.equal(#taken, count)
  for _, row in ipairs(taken) do test.equal(row.name:sub(1, #layer), layer) end
end)

test("an untouched mutant is unchanged, and so is one that was put back", function()
  local mutant = Mutant.new(genuine(), "none")
  test.ok(equivalence.is_unchanged(mutant))
  local entry = mutant.stored:tensors()[1]
  mutant:put(entry.name, entry.dtype, entry.shape, mutant.stored:bytes(entry.name, 2 ^ 30))
  mutant:edit_config(function() end)
  test.ok(equivalence.is_unchanged(mutant))
end)

test("one bit is a change", function()
  local mutant = Mutant.new(genuine(), "bit")
  local entry = mutant.stored:tensors()[1]
  local bytes = mutant.stored:bytes(entry.name, 2 ^ 30)
  local flipped = string.char((bytes:byte(1) + 1) % 256) .. bytes:sub(2)
  mutant:put(entry.name, entry.dtype, entry.shape, flipped)
  test.ok(not equivalence.is_unchanged(mutant))
end)

test("a claim of equivalence is believed only with the same logits", function()
  local operator = { equivalent = "it is said to be the same" }
  local harmless = Mutant.new(genuine(), "harmless")
  harmless:edit_quantization(function(q) q.llm_int8_threshold = 5 end)
  test.equal(equivalence.reason(operator, harmless, {}), "it is said to be the same")
  local harmful = Mutant.new(genuine(), "harmful")
  harmful:edit_config(function(config) config.layer_norm_epsilon = 0.1 end)
  test.equal(equivalence.reason(operator, harmful, {}), nil)
end)

local function result(status, dose)
  return { status = status, dose = dose }
end

test("the score leaves equivalent mutants out", function()
  test.equal(survey.score { result "killed", result "survived", result "equivalent" }, 0.5)
  test.equal(survey.score { result "equivalent" }, 1)
  test.equal(survey.score { result "killed", result "fault" }, 0.5)
end)

test("the detection limit is the smallest dose from which on all are noticed", function()
  test.equal(survey.detection_limit { result("survived", "block"), result("killed", "group"),
    result("killed", "module"), result("killed", "all") }, "group")
  test.equal(survey.detection_limit { result("killed", "block"), result("survived", "all") }, nil)
  test.equal(survey.detection_limit { result("killed", "block"), result("survived", "module"),
    result("killed", "all") }, "all")
end)

test("operators are chosen by number, name and pattern, in the order of their numbers", function()
  local all = registry("operators").all()
  local ids = {}
  for i, operator in ipairs(selection.operators(all, "scale_*,M01, M06")) do
    ids[i] = operator.id
  end
  test.equal(ids, { "M01", "M06", "M07", "M08", "M09" })
end)

test("a mistyped operator or dose is named with the nearest one", function()
  local all = registry("operators").all()
  local err = test.raises("no operator 'nible_swap'", selection.operators, all, "nible_swap")
  test.ok(err.hint:find("nibble_swap", 1, true))
  test.raises("no dose 'blok'", selection.doses, "blok")
end)

test("a mutant that is written reads back as it was in memory", function()
  local mutant = Mutant.new(genuine(), "written")
  local entry = mutant.stored:tensors()[3]
  mutant:drop(entry.name)
  mutant:edit_config(function(config) config.n_layer = 3 end)
  local folder = test.tmpfile("-mutant")
  writer.write(mutant, folder)
  local again = Subject.new { name = "again", path = folder }
  test.equal(again.raw.n_layer, 3)
  test.equal(#again.stored:tensors(), #mutant.stored:tensors())
  for _, one in ipairs(mutant.stored:tensors()) do
    test.ok(again.stored:bytes(one.name, 2 ^ 30) == mutant.stored:bytes(one.name, 2 ^ 30), one.name)
  end
  test.raises("there already", writer.write, mutant, folder)
end)
