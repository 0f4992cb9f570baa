-- From a spec and the options to the list of work.

local plan = require "qspec.plan"
local spec = require "qspec.spec"
local system = require "host.system"
local test = require "test"

local EXAMPLE = system.home() .. "/examples/models/bloom-tiny-bnb-nf4"

local function jobs_of(text, options)
  local path = test.tmpfile(".lua")
  system.write_atomic(path, text)
  local all = { only = {}, skip = {} }
  for key, value in pairs(options or {}) do all[key] = value end
  return plan.make(spec.load(path), all)
end

local function checks_of(job)
  local names = {}
  for i, declaration in ipairs(job.declarations) do names[i] = declaration.name end
  return table.concat(names, " ")
end

local FAMILY = [[
family "bloom"
numerics {}
layers {}
memory { ratio = 3 }
config {}
]]

local TINY = [[model "tiny" { checkpoint = example "bloom-tiny-bnb-nf4", tags = { "small" } }]]

local function check(name, needs)
  return ("check %q { needs = %q, tags = { 'own' }, run = function() end }\n"):format(name, needs)
end

test("checks are ordered by what they cost, then by name", function()
  test.equal(checks_of(jobs_of(FAMILY .. TINY)[1]), "memory config layers numerics")
end)

test("checks of the spec's own come last in their tier, in the order of the spec", function()
  local own = check("z", "header") .. check("a", "header") .. check("b", "generate")
  test.equal(checks_of(jobs_of(FAMILY .. own .. TINY)[1]), "memory config layers z a numerics b")
end)

test("what a model says of a check replaces what the family says of it", function()
  local jobs = jobs_of(FAMILY .. [[
model "own" { checkpoint = example "bloom-tiny", memory = { ratio = 2 } }
]] .. TINY)
  test.equal(checks_of(jobs[1]), "memory config layers numerics")
  test.equal(jobs[1].declarations[1].params.ratio, 2)
  test.equal(jobs[2].declarations[1].params.ratio, 3)
end)

test("a family may declare a check more than once, and a model replaces all of them", function()
  local jobs = jobs_of([[
layers { "*.mlp.*", class = "Linear4bit" }
layers { "lm_head", class = "Linear" }
model "own" { checkpoint = example "bloom-tiny", layers = {} }
]] .. TINY)
  test.equal(checks_of(jobs[1]), "layers")
  test.equal(checks_of(jobs[2]), "layers layers")
end)

test("a check of the spec's own is not replaced", function()
  local jobs = jobs_of(check("layers too", "header")
    .. [[model "own" { checkpoint = example "bloom-tiny", layers = {} }]])
  test.equal(checks_of(jobs[1]), "layers layers too")
end)

test("a tier leaves out what costs more", function()
  local text = FAMILY .. check("f", "forward") .. check("g", "generate") .. TINY
  local function at(tier) return checks_of(jobs_of(text, { tier = tier })[1]) end
  test.equal(at("header"), "memory config layers")
  test.equal(at("weights"), "memory config layers numerics")
  test.equal(at("forward"), "memory config layers numerics f")
  test.equal(at("generate"), "memory config layers numerics f g")
  test.equal(at(nil), at("generate"))
end)

test("--only takes a check by its name", function()
  test.equal(checks_of(jobs_of(FAMILY .. TINY, { only = { "memory" } })[1]), "memory")
end)

test("--only takes checks by a pattern", function()
  test.equal(checks_of(jobs_of(FAMILY .. TINY, { only = { "*o*" } })[1]), "memory config")
end)

test("--only takes a model by its name, with all of its checks", function()
  local other = [[model "other" { checkpoint = example "bloom-tiny" }]]
  local jobs = jobs_of(FAMILY .. TINY .. "\n" .. other, { only = { "other" } })
  test.equal(checks_of(jobs[1]), "")
  test.equal(checks_of(jobs[2]), "memory config layers numerics")
end)

test("--only takes checks by a tag of theirs, and models by a tag of theirs", function()
  local text = FAMILY .. check("mine", "header") .. TINY
  test.equal(checks_of(jobs_of(text, { only = { "own" } })[1]), "mine")
  test.equal(checks_of(jobs_of(text, { only = { "sm*" } })[1]),
    "memory config layers mine numerics")
end)

test("--skip leaves out by name, pattern and tag", function()
  local text = FAMILY .. check("mine", "header") .. TINY
  test.equal(checks_of(jobs_of(text, { skip = { "memory" } })[1]), "config layers mine numerics")
  test.equal(checks_of(jobs_of(text, { skip = { "*em*" } })[1]), "config layers mine numerics")
  test.equal(checks_of(jobs_of(text, { skip = { "own" } })[1]), "memory config layers numerics")
end)

test("--skip goes before --only", function()
  local options = { only = { "memory", "layers" }, skip = { "memory" } }
  test.equal(checks_of(jobs_of(FAMILY .. TINY, options)[1]), "layers")
end)

test("a selector that selects nothing is a mistake with the nearest name", function()
  local err = test.raises("%-%-only memroy matches no check, model or tag", function()
    jobs_of(FAMILY .. TINY, { only = { "memroy" } })
  end)
  test.equal({ err.kind, err.hint }, { "usage", "did you mean 'memory'?" })
end)

test("a selector far from every name is shown the names", function()
  local err = test.raises("matches no check", function()
    jobs_of(FAMILY .. TINY, { skip = { "zzzzzz" } })
  end)
  test.equal(err.hint, "there are: tiny, memory, config, layers, numerics")
end)

test("--model stands in for every model of the spec", function()
  local jobs = jobs_of(FAMILY .. TINY, { model = EXAMPLE .. "/" })
  test.equal(#jobs, 1)
  test.equal({ jobs[1].name, jobs[1].families, checks_of(jobs[1]) },
    { "bloom-tiny-bnb-nf4", { "bloom" }, "memory config layers numerics" })
end)

test("--model may use the baselines that the spec names, and --baseline is the one used", function()
  local with_baseline = FAMILY .. [[
model "tiny" { checkpoint = example "bloom-tiny-bnb-nf4", baseline = example "bloom-tiny" }
]]
  local known = jobs_of(with_baseline, { model = EXAMPLE })[1].subject
  test.equal({ #known.known_baselines, known.baseline }, { 1, false })
  local given = jobs_of(with_baseline, { model = EXAMPLE, baseline = "/b" })[1].subject
  test.equal({ given.known_baselines, given.baseline.path }, { nil, "/b" })
end)

test("a model that is there is not absent", function()
  test.equal(jobs_of(FAMILY .. TINY)[1].absent, nil)
end)

test("a path that is not there is absence, with what would enable it", function()
  local job = jobs_of(FAMILY .. [[model "far" { checkpoint = "/no/such/folder" }]])[1]
  test.equal(job.absent, { reason = "there is no /no/such/folder", enable = "--model PATH" })
  test.equal(job.subject, nil)
end)

test("a config in the spec stands in for weights that are absent", function()
  local job = jobs_of(FAMILY .. [[
model "far" { checkpoint = "/no/such/folder", architecture = { model_type = "bloom" } }
]])[1]
  test.equal(job.absent.reason, "there is no /no/such/folder")
  test.equal(job.subject:has_weights(), false)
end)

test("quantizing on load waits for the tier that reads weights", function()
  local text = FAMILY .. [[
model "loaded" { checkpoint = example "bloom-tiny", quantize = bitsandbytes { bits = 4 } }
]]
  test.equal(jobs_of(text, { tier = "header" })[1].absent,
    { reason = "quantizing on load reads every weight", enable = "--tier weights" })
  test.equal(jobs_of(text, { tier = "weights" })[1].absent, nil)
end)

test("a checkpoint that is quantized on load is its own baseline", function()
  local job = jobs_of(FAMILY .. [[
model "loaded" { checkpoint = example "bloom-tiny", quantize = bitsandbytes { bits = 4 } }
]])[1]
  test.equal(job.subject.baseline.path, job.subject.path)
end)

test("a job knows what was accepted of its model on this device", function()
  local accepted_outputs = require "qspec.accepted_outputs"
  local path = test.tmpfile(".lua")
  system.write_atomic(path, FAMILY .. TINY)
  accepted_outputs.record(path, { { model = "tiny", device = "cpu", prompt = "a",
    max_new_tokens = 3, text = "a b", provenance = {} } })
  local function accepted_on(device)
    local jobs = plan.make(spec.load(path), { only = {}, skip = {}, device = device })
    return jobs[1].subject.accepted("a", 3)
  end
  test.equal(accepted_on "cpu", { "a b" })
  test.equal(accepted_on "cuda", {})
end)
