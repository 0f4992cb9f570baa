-- A failure of the running model names the modules with the largest errors of their own.

local localisation = require "qspec.localisation"
local registry = require "qspec.registry"
local survey = require "qspec.mutation.survey"
local system = require "host.system"
local test = require "test"
local runner = require "qspec.runner"
local Subject = require "qspec.subject"

local HOME = system.home() .. "/"
local IDS = { 5, 9, 22, 7, 130, 44, 3, 17 }

local function genuine()
  local baseline = Subject.new { name = "baseline", path = HOME .. "examples/models/bloom-tiny" }
  return Subject.new { name = "model", path = HOME .. "examples/models/bloom-tiny-bnb-nf4",
    baseline = baseline }
end

-- With the nibbles of one module swapped; which one is told too.
local function damaged()
  local mutant = survey.make(genuine(), { operator = registry("operators").get "nibble_swap",
    dose = "module", name = "localisation", variant = { name = "" } })
  local name = next(mutant.touched):gsub("%.weight$", "")
  return mutant:subject(), name
end

local function declared(name, params)
  local check = registry("checks").get(name)
  params.window, params.max_new_tokens = 32, 4
  for key, param in pairs(check.params) do
    if params[key] == nil then params[key] = param.default end
  end
  return { name = name, check = check, params = params, where = "a spec.lua:3" }
end

local function run(subject, declaration, families)
  local results = runner.run({ { name = "model", subject = subject, families = families,
    declarations = { declaration } } }, {}, { require = {} })
  return results[1]
end

test("the damaged module comes first, with an error of its own that is no rounding", function()
  local subject, name = damaged()
  local worst = localisation.worst(subject, { ids = IDS })
  test.equal(worst[1].module, name)
  test.ok(worst[1].added_db < 3, worst[1].added_db)
  test.ok(worst[2].added_db > 15, worst[2].added_db)
  test.equal(#worst, 5)
end)

test("a module behind the damaged one inherits the error and adds none", function()
  local subject, name = damaged()
  local layer = tonumber(name:match("%.(%d+)%."))
  local errors = subject.runtime:module_errors(subject.baseline.runtime, IDS)
  local last = errors[#errors]
  test.equal(last.modules, { "lm_head" })
  test.equal(last.added_db, math.huge)
  test.ok(last.inherited_db < 30 and layer < 4, last.inherited_db)
end)

test("a model that is its baseline has no error to tell of", function()
  local baseline = Subject.new { name = "baseline", path = HOME .. "examples/models/bloom-tiny" }
  local same = Subject.new { name = "same", path = HOME .. "examples/models/bloom-tiny",
    baseline = baseline }
  test.equal(localisation.worst(same, { ids = IDS }), {})
end)

for name, params in pairs {
  kl = { text = HOME .. "tests/data/held_out.txt", mean = 1e-9 },
  perplexity = { text = HOME .. "tests/data/held_out.txt", ratio = 0.5 },
  generates = { "Hello my name is", accepts = { "Hello my name is Nobody at all" },
    tolerance = 0.05 },
} do
  test("a failing " .. name .. " is localised, and says what to run next", function()
    local event = run(genuine(), declared(name, params))
    test.equal(event.status, "fail")
    test.equal(#event.localized, 5)
    test.equal(event.next_command, "qspec bisect 'a spec.lua' --only model")
  end)
end

test("a model of the command line is named in what to run next", function()
  local event = run(genuine(), declared("generates", { "Hello", accepts = { "Hello there" } }),
    { "bloom" })
  local words = "%-%-model .*bloom%-tiny%-bnb%-nf4 %-%-baseline .*bloom%-tiny$"
  test.ok(event.next_command:find(words), event.next_command)
end)

test("a prompt without an accepted text says nothing of modules", function()
  local event = run(genuine(), declared("generates", { "Hello" }))
  test.equal(event.status, "fail")
  test.equal(event.localized, nil)
end)

test("without a baseline a failure stands alone", function()
  local subject = genuine()
  subject.baseline = false
  local event = run(subject, declared("generates", { "Hello", accepts = { "Hello there" } }))
  test.equal(event.status, "fail")
  test.equal(event.localized, nil)
end)

test("a baseline that does not fit takes nothing from the verdict, and is noted", function()
  local subject = genuine()
  subject.baseline = Subject.new { name = "other", path = HOME .. "tests/data/qwen2-tiny" }
  local event = run(subject, declared("generates", { "Hello", accepts = { "Hello there" },
    tolerance = 0.05 }))
  test.equal(event.status, "fail")
  test.ok(event.notes[1]:find("not localised: the baseline is a 'qwen2'", 1, true), event.notes[1])
end)
