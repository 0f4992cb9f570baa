-- The checks perplexity and kl: verdicts on a sample of text.

local Context = require "qspec.context"
local evidence = require "qspec.evidence"
local mean = require "qspec.statistics.mean"
local paired = require "qspec.paired"
local perplexity = require "qspec.perplexity"
local registry = require "qspec.registry"
local schema = require "qspec.schema"
local Subject = require "qspec.subject"
local system = require "host.system"
local test = require "test"

local HOME = system.home() .. "/"
local TEXT = test.tmpfile(".txt")
system.write_atomic(TEXT, system.read(HOME .. "tests/data/held_out.txt", 2 ^ 20):sub(1, 2400))

local function open(name)
  return Subject.new { name = name, path = HOME .. "examples/models/" .. name }
end

local function run(check_name, model, baseline, values)
  local check = registry("checks").get(check_name)
  local subject = open(model)
  subject.baseline = open(baseline)
  values.text, values.window = TEXT, 64
  local ctx = Context.new { subject = subject, params = schema.check(check.params, values,
    check_name) }
  check.run(ctx)
  return ctx
end

test("a baseline against itself passes the strictest limits", function()
  local ctx = run("kl", "bloom-tiny", "bloom-tiny", { mean = 0, median = 0, p99 = 0, p999 = 0,
    max = 0, same_top = 1, margin = 0 })
  test.equal({ ctx.findings, ctx.undecided }, { {}, {} })
  test.equal(ctx.measured.kld_mean_interval, { 0, 0 })
  ctx = run("perplexity", "bloom-tiny", "bloom-tiny", { ratio = 1 })
  test.equal({ ctx.findings, ctx.undecided }, { {}, {} })
  test.equal(ctx.measured.ppl_ratio_interval, { 1, 1 })
end)

test("a genuine 4-bit model passes what it is far from", function()
  local ctx = run("kl", "bloom-tiny-bnb-nf4", "bloom-tiny", { mean = 0.02, p99 = 0.1,
    same_top = 0.9, margin = 0.5 })
  test.equal({ ctx.findings, ctx.undecided }, { {}, {} })
  ctx = run("perplexity", "bloom-tiny-bnb-nf4", "bloom-tiny", { ratio = 1.02 })
  test.equal({ ctx.findings, ctx.undecided }, { {}, {} })
end)

test("it fails what it is far beyond", function()
  local ctx = run("kl", "bloom-tiny-bnb-nf4", "bloom-tiny", { mean = 1e-6, median = 1e-9,
    same_top = 1, margin = 1e-4 })
  local keys = {}
  for i, finding in ipairs(ctx.findings) do keys[i] = finding.key end
  test.equal(keys, { "kld_mean", "same_top", "margin_change", "kld_median" })
end)

test("a limit of the text's own value is left open, or what the spec says of that", function()
  local value = run("kl", "bloom-tiny-bnb-nf4", "bloom-tiny", {}).measured.kld_mean
  local ctx = run("kl", "bloom-tiny-bnb-nf4", "bloom-tiny", { mean = 1.01 * value })
  test.equal(#ctx.findings, 0)
  test.ok(ctx.undecided[1].reason:find("kld_mean", 1, true))
  test.ok(ctx.undecided[1].hint:find("^about %d+ tokens would decide, there are %d+$"),
    ctx.undecided[1].hint)
end)

test("a rare excess is not excluded by a short text", function()
  local ctx = run("kl", "bloom-tiny-bnb-nf4", "bloom-tiny", { p999 = 5 })
  test.equal(#ctx.findings, 0)
  test.ok(ctx.undecided[1].hint:find("about 36%d%d tokens would decide"), ctx.undecided[1].hint)
end)

test("with a tolerance alone a model must be its baseline but for noise", function()
  test.equal(run("kl", "bloom-tiny", "bloom-tiny", { tolerance = "auto" }).findings, {})
  local ctx = run("kl", "bloom-tiny-bnb-nf4", "bloom-tiny", { tolerance = "auto" })
  test.equal(ctx.findings[1].key, "kld_mean")
  test.ok(ctx.notes[1]:find("times the noise floor", 1, true), ctx.notes[1])
end)

-- Scored tokens of which the model gained `gain` on each, at a divergence of `kl`.
local function scored(gain, kl)
  local list = { nll = {}, baseline_nll = {}, kl = {}, same_top = {}, margin = {},
    baseline_margin = {} }
  math.randomseed(5)
  for i = 1, 2000 do
    local noise = (math.random() - 0.5) * math.sqrt(24 * kl)  -- of the variance 2 kl
    list.baseline_nll[i], list.nll[i] = 2, 2 - gain + noise
    list.kl[i], list.same_top[i], list.margin[i], list.baseline_margin[i] = kl, true, 1, 1
  end
  return paired.intervals(list, 0.95)
end

test("what rounding can gain is no anomaly, and what it cannot is one", function()
  test.ok(not paired.is_anomalous(scored(0, 0)))
  test.ok(not paired.is_anomalous(scored(0.13 * math.sqrt(2 * 0.0003), 0.0003)))
  test.ok(not paired.is_anomalous(scored(-0.5, 0.5)))
  test.ok(paired.is_anomalous(scored(0.4 * math.sqrt(2 * 0.5), 0.5)))
end)

test("a model whose baseline is worse than it is anomalous, unless that is allowed", function()
  local bad = open("bloom-tiny")
  local runtime = bad.runtime
  local better = { compare = function(_, _, ids, first)
    local worse = runtime:compare(runtime, ids, first)  -- as a baseline that knows less would be
    worse.baseline_nll = worse.nll:mul(1.5):add(0.3)
    worse.kl = worse.nll:mul(0):add(0.2)
    return worse
  end, release = function() end }
  bad.runtime = better
  bad.baseline = open("bloom-tiny")
  local check = registry("checks").get("perplexity")
  for choice, count in pairs { fail = 1, pass = 0 } do
    local ctx = Context.new { subject = bad, params = schema.check(check.params, { text = TEXT,
      window = 64, ratio = 1.02, anomalous = choice }, "perplexity") }
    check.run(ctx)
    test.equal(#ctx.findings, count, choice)
    if count > 0 then test.ok(ctx.findings[1].found:find("^anomalous: 0%.")) end
  end
end)

test("on a text that is foreign to the model no gain is an anomaly", function()
  local genuine = open("bloom-tiny-bnb-nf4")
  genuine.baseline = open("bloom-tiny")
  local check = registry("checks").get("perplexity")
  local ctx = Context.new { subject = genuine, params = schema.check(check.params,
    { text = HOME .. "stdlib/qspec/commands/run.lua", window = 64, ratio = 1.02 }, "perplexity") }
  check.run(ctx)
  test.equal(ctx.findings, {})
  test.ok(ctx.notes[1]:find("foreign to the model", 1, true), ctx.notes[1])
end)

test("an open claim is a verdict, a note or a finding, as the spec says", function()
  local interval = mean.interval({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 }, 0.95)
  local function judged(choice)
    local ctx = Context.new { params = { confidence = 0.95, inconclusive = choice } }
    evidence.judge(ctx, { key = "x", interval = interval, operator = "<=", limit = 7,
      show = function(value) return ("%.1f"):format(value) end })
    return { #ctx.undecided, #ctx.notes, #ctx.findings }
  end
  test.equal(judged "report", { 1, 0, 0 })
  test.equal(judged "pass", { 0, 1, 0 })
  test.equal(judged "fail", { 0, 0, 1 })
end)

test("a token that the model excludes makes the mean infinite, which fails", function()
  local interval = paired.intervals({ nll = { 1, 1, 1 }, baseline_nll = { 1, 1, 1 },
    kl = { 0, math.huge, 0 }, same_top = { true, true, true }, margin = { 1, 1, 1 },
    baseline_margin = { 1, 1, 1 } }, 0.95).kld
  test.equal(require("qspec.statistics.gate").verdict(interval, "<=", 1000), "fail")
end)

test("windows without overlap give as many margins as tokens", function()
  local _, scored_tokens = perplexity.measure(open("bloom-tiny"), system.read(TEXT, 2 ^ 20),
    { window = 64, baseline = open("bloom-tiny") })
  for _, name in ipairs { "nll", "baseline_nll", "kl", "same_top", "margin", "baseline_margin" } do
    test.equal(#scored_tokens[name], #scored_tokens.nll, name)
  end
end)
