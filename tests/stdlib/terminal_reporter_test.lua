local test = require "test"
local report = require "report"

local PLAIN = { colour = false, ascii = false, columns = 100 }

local function shown(checks, changes)
  local options = { clock = function() return 0 end }
  for name, value in pairs(PLAIN) do options[name] = value end
  for name, value in pairs(changes or {}) do options[name] = value end
  return report.written("terminal", checks, options)
end

local function has(text, wanted)
  test.ok(text:find(wanted, 1, true), "wanted " .. wanted .. " in\n" .. text)
end

local function has_not(text, unwanted)
  test.ok(not text:find(unwanted, 1, true), "found " .. unwanted .. " in\n" .. text)
end

local function failed(count, changes)
  local findings = {}
  for i = 1, count do
    findings[i] = report.finding { module = "h." .. i .. ".mlp" }
    for field, value in pairs(changes or {}) do findings[i][field] = value end
  end
  return report.check { check = "layers", status = "fail", findings = findings }
end

test("a passed run is a line a check and a verdict", function()
  test.equal(shown { report.check { measured = { ratio = 2.953, stored_bytes = 2360000 } } }, [[
qspec 0.1.0 · bloom.lua · cpu

tiny  bloom, bitsandbytes
  models/tiny
  ✓ memory        ratio 2.953, stored 2.36 MB                                  2.1 ms

PASS  1 passed  in 250 ms
]])
end)

test("a failure shows its findings in aligned columns", function()
  has(shown { failed(1, { hint = "it was not excluded" }) }, [[
  ✗ layers        FAIL  1 finding                                              2.1 ms
      module    found    wanted       spec line
      h.1.mlp   Linear   Linear4bit   bloom.lua:7
      hint: it was not excluded
]])
end)

test("shows the modules with the largest errors, and what to run next", function()
  has(shown { report.check { check = "kl", status = "fail", findings = {},
    next_command = "qspec bisect bloom.lua", localized = {
      { module = "h.0.mlp", added_db = 0 / 0, inherited_db = math.huge },
      { module = "h.1", added_db = -0.55, inherited_db = 27.3 } } } }, [[
      largest errors of their own     added   inherited
      h.0.mlp                           NaN        none
      h.1                           -0.6 dB     27.3 dB
      who is to blame: qspec bisect bloom.lua
]])
end)

test("shows ten findings and counts the rest", function()
  local text = shown { failed(13) }
  has(text, "h.10.mlp")
  has_not(text, "h.11.mlp")
  has(text, "and 3 more findings (--verbose shows all)")
end)

test("shows every finding when it is verbose", function()
  local text = shown({ failed(13) }, { verbose = true })
  has(text, "h.13.mlp")
  has_not(text, "--verbose")
end)

test("shows a hint that findings share once", function()
  local _, count = shown({ failed(3, { hint = "it fell back" }) }):gsub("hint:", "")
  test.equal(count, 1)
end)

test("stacks findings that are too wide for a table", function()
  has(shown({ failed(1, { found = ("x"):rep(90) }) }), "      wanted     Linear4bit\n")
end)

test("folds checks that were skipped for one reason into one line", function()
  local text = shown {
    report.check { check = "numerics", status = "skip", reason = "no baseline",
      enable = "--baseline" },
    report.check { check = "generates", status = "skip", reason = "no baseline",
      enable = "--baseline" },
  }
  has(text, "  - 2 checks      skip\n      numerics, generates\n      no baseline\n"
    .. "      enable: --baseline\n")
end)

test("keeps skips for two reasons apart", function()
  local text = shown {
    report.check { check = "numerics", status = "skip", reason = "no baseline" },
    report.check { check = "generates", status = "skip", reason = "no tokenizer" },
  }
  has(text, "  - numerics      skip\n      no baseline\n")
  has(text, "  - generates     skip\n      no tokenizer\n")
end)

test("says why a check could not be tested, where, and what to do", function()
  local text = shown { report.check { check = "files", status = "error", kind = "checkpoint",
    reason = "header is 7 bytes, need at least 8", error_where = "a.safetensors, byte 0",
    hint = "download it again" } }
  has(text, "  ! files         error")
  has(text, "      header is 7 bytes, need at least 8\n      where: a.safetensors, byte 0\n"
    .. "      hint: download it again\n")
end)

test("tells a reason that stops several checks once", function()
  local stopped = { status = "error", kind = "device", reason = "out of memory" }
  local _, count = shown({ report.check(stopped), report.check(stopped), report.check(stopped) })
    :gsub("out of memory", "")
  test.equal(count, 1)
end)

test("shows a reason of several lines as several lines", function()
  has(shown { report.check { status = "error", kind = "internal", reason = "boom\n\tin run" } },
    "      boom\n      in run\n")
end)

test("shows the control characters of names as escapes", function()
  local text = shown { failed(1, { module = "h\27[2J\r\n\194\155" }),
    report.check { check = "a\27b" } }
  has(text, "h\\x1B[2J\\x0D\\x0A\\xC2\\x9B")
  test.ok(not text:find("[%z\1-\9\11-\31]"), "a raw control byte is left")
end)

test("aligns columns by what a terminal shows, not by bytes", function()
  local text = shown { report.check { check = "layers", status = "fail", findings = {
    report.finding { module = "größe" }, report.finding { module = "層" } } } }
  has(text, "      größe    Linear   ")
  has(text, "      層       Linear   ")
end)

test("a long name of a check takes the room of its measures", function()
  local name = "no quantized layer of the whole model has a block of zero scales"
  local text = shown { report.check { check = name, measured = { zero_scales = 0 } } }
  has(text, name)
  has_not(text, "zero scales 0")
end)

test("a long name of a check never hides that it failed", function()
  has(shown { report.check { check = ("x"):rep(120), status = "fail" } }, "FAIL")
end)

test("uses plain ASCII where the terminal has no more", function()
  local text = shown({ failed(1), report.check {}, report.check { status = "skip" } },
    { ascii = true })
  test.ok(not text:find("[\128-\255]"), text)
end)

test("colours only when it is told to", function()
  has(shown({ failed(1) }, { colour = true }), "\27[1;31m✗\27[0m")
  has_not(shown { failed(1) }, "\27")
end)

test("shows progress on the status line only after half a second, and clears it", function()
  local now, status = 0, {}
  local options = { colour = false, ascii = true, columns = 100,
    clock = function() return now end,
    status = function(text) status[#status + 1] = text end }
  local events = require("qspec.reporters.terminal").new({ write = function() end }, options)
  local progress = { check = "numerics", done = 1, total = 4, what = "h.0.mlp" }
  events.check_start(report.check { check = "numerics" })
  events.progress(progress)
  test.equal(status, {})
  now = 0.6
  events.progress(progress)
  test.equal(status, { "\r  numerics  h.0.mlp  25%" })
  events.check_end(report.check { check = "numerics" })
  test.equal(status[#status]:gsub(" ", ""), "\r\r")
end)

test("says that nothing was checked", function()
  has(shown {}, "nothing was checked")
end)
