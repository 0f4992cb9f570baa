local test = require "test"
local json = require "host.json"
local json_schema = require "json_schema"
local report = require "report"

local function read(checks)
  local document = json.decode(report.written("json", checks))
  test.equal(json_schema.problem(document, "run"), nil)
  return document
end

local EVERY_STATUS = {
  report.check { measured = { ratio = 2.5, breakdown = { packed = 12 } }, wanted = { 1, a = 2 } },
  report.check { check = "layers", status = "fail", findings = {
    report.finding { hint = "it fell back" },
    report.finding { key = "shape", found = 3, wanted = 4 },
  } },
  report.check { check = "numerics", status = "skip", reason = "no baseline",
    enable = "--baseline" },
  report.check { check = "files", status = "error", kind = "checkpoint", reason = "truncated",
    hint = "download it again", error_where = "a.safetensors, byte 8", notes = { "one note" } },
}

test("writes a report of every status that keeps to its schema", function()
  local document = read(EVERY_STATUS)
  test.equal(document.schema, "qspec.run/1")
  test.equal(document.verdict, "fail")
  test.equal(document.exit_code, 1)
  test.equal(document.spec, "bloom.lua")
  test.equal(#document.results, 4)
end)

test("gives numbers exactly", function()
  local ratio = 2.109659552692574
  local result = read({ report.check { measured = { ratio = ratio } } }).results[1]
  test.equal(result.measured.ratio, ratio)
end)

test("writes findings without what their result already says", function()
  local found = read(EVERY_STATUS).results[2].findings[1]
  test.equal(found, { module = "h.0.mlp", found = "Linear", wanted = "Linear4bit",
    where = "bloom.lua:7", hint = "it fell back" })
end)

test("writes an empty list of findings as a list", function()
  test.ok(json.is_array(read({ report.check {} }).results[1].findings))
end)

test("writes a check's patterns beside its named values", function()
  local wanted = read(EVERY_STATUS).results[1].wanted
  test.equal(wanted.a, 2)
  test.equal(wanted.values[1], 1)
end)

test("writes the errors of modules as numbers, and as text where JSON has none", function()
  local result = read({ report.check { status = "fail", localized = {
    { module = "h.0", added_db = -0.5, inherited_db = math.huge, place = 1 },
    { module = "h.1", added_db = 0 / 0, inherited_db = 7, place = 2 } } } }).results[1]
  test.equal(result.localized[1], { module = "h.0", added_db = -0.5, inherited_db = "Infinity" })
  test.equal(result.localized[2].added_db, "NaN")
end)

test("says where an error was, and how a skip can be enabled", function()
  local results = read(EVERY_STATUS).results
  test.equal(results[4].where, "a.safetensors, byte 8")
  test.equal(results[3].hint, "--baseline")
end)

test("writes numbers that JSON lacks as texts", function()
  local measured = read({ report.check { measured = { sqnr_db = 0 / 0, worst = 1 / 0 } } })
    .results[1].measured
  test.equal(measured.sqnr_db, "NaN")
  test.equal(measured.worst, "Infinity")
end)

test("writes bytes that are not UTF-8 as escapes", function()
  local finding = report.finding { module = "h\255\27" }
  local result = read({ report.check { status = "fail", findings = { finding } } }).results[1]
  test.equal(result.findings[1].module, "h\\xFF\27")
end)

test("ends a value that holds itself, and writes a function by its type", function()
  local loop = { run = print }
  loop.loop = loop
  local text = report.written("json", { report.check { measured = loop } })
  test.ok(text:find('"run": ?"function'), text)
end)

test("writes a run without checks", function()
  test.equal(#read({}).results, 0)
end)

test("a report that breaks its schema is noticed", function()
  local document = read(EVERY_STATUS)
  document.results[1].status = "passed"
  test.ok(json_schema.problem(document, "run"):find("status", 1, true))
  document.results[1] = nil
  document.surprise = true
  test.ok(json_schema.problem(document, "run"))
end)
