local test = require "test"
local report = require "report"

local function has(text, wanted)
  test.ok(text:find(wanted, 1, true), "wanted " .. wanted .. " in\n" .. text)
end

local CHECKS = {
  report.check {},
  report.check { check = "layers", status = "fail", findings = { report.finding {},
    report.finding { module = "h.1.mlp" } } },
  report.check { check = "numerics", status = "skip", reason = "there is no baseline" },
  report.check { check = "files", status = "error", kind = "checkpoint", reason = "truncated",
    hint = "download it again" },
}

test("writes a suite a model with its counts", function()
  has(report.written("junit", CHECKS), '<testsuite name="tiny" timestamp="2026-01-02T03:04:05" '
    .. 'tests="4" failures="1" errors="1" skipped="1" time="0.008">')
end)

test("writes a passed check as an empty case", function()
  has(report.written("junit", CHECKS),
    '<testcase name="memory" classname="qspec.tiny" time="0.002"/>')
end)

test("writes every finding of a failed check", function()
  local text = report.written("junit", CHECKS)
  has(text, '<failure message="h.0.mlp: found Linear, wanted Linear4bit (bloom.lua:7)"'
    .. ' type="layers">')
  has(text, "\nh.1.mlp: found Linear, wanted Linear4bit (bloom.lua:7)</failure>")
end)

test("tells a skip from an error", function()
  local text = report.written("junit", CHECKS)
  has(text, '<skipped message="there is no baseline"/>')
  has(text, '<error message="truncated" type="checkpoint">download it again</error>')
end)

test("counts what could not be decided as an error, which is no pass and no failure", function()
  local text = report.written("junit", { report.check { check = "kl", status = "inconclusive",
    reason = "kld_mean: 0.02", hint = "about 900 tokens would decide" } })
  has(text, '<error message="kld_mean: 0.02" type="inconclusive">about 900 tokens')
  has(text, 'tests="1" failures="0" errors="1"')
end)

test("escapes what XML reserves and what it cannot hold", function()
  local text = report.written("junit", { report.check { status = "fail", findings = {
    report.finding { module = 'a<b>&"c"\0\27\255\239\191\191' } } } })
  has(text, "a&lt;b&gt;&amp;&quot;c&quot;\\x00\\x1B\\xFF\\xEF\\xBF\\xBF: found")
  test.ok(not text:find("[%z\1-\9\11-\31\255]"), "a raw control byte is left")
end)

test("writes a run without checks as no suites", function()
  has(report.written("junit", {}), '<testsuites name="qspec" tests="0"')
end)
