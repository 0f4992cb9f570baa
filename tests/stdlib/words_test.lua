local test = require "test"
local printable = require "qspec.printable"
local style = require "qspec.style"
local text_table = require "qspec.text_table"
local units = require "qspec.units"

test("bytes have three digits and a decimal unit", function()
  test.equal(units.bytes(999), "999 B")
  test.equal(units.bytes(2360000), "2.36 MB")
  test.equal(units.bytes(999999), "1.00 MB")
  test.equal(units.bytes(-12345), "-12.3 kB")
  test.equal(units.bytes(0), "0 B")
end)

test("times choose the unit that a person would", function()
  test.equal(units.seconds(0.0004), "0.4 ms")
  test.equal(units.seconds(0.012), "12 ms")
  test.equal(units.seconds(0.9996), "1.00 s")
  test.equal(units.seconds(125), "2 min 05 s")
end)

test("whole numbers are written in full, others to six digits", function()
  test.equal(units.number(1609384), "1609384")
  test.equal(units.number(2.109659552), "2.10966")
  test.equal(units.number(0 / 0):gsub("-", ""), "nan")
end)

test("a measure takes its unit from the end of its key", function()
  test.equal(units.measured("stored_bytes", 1500), "1.50 kB")
  test.equal(units.measured("sqnr_db", 18.26), "18.3 dB")
  test.equal(units.measured("layers", { 1, 2 }), "1, 2")
end)

test("a count of one is singular", function()
  test.equal(units.count(1, "finding"), "1 finding")
  test.equal(units.count(0, "finding"), "0 findings")
end)

test("well-formed text is shown as it is", function()
  local text = "größe 層 \240\159\152\128"
  test.equal(printable.line(text), text)
end)

test("malformed UTF-8 is shown byte by byte", function()
  test.equal(printable.utf8("a\255b"), "a\\xFFb")
  test.equal(printable.utf8("\192\175"), "\\xC0\\xAF", "overlong")
  test.equal(printable.utf8("\237\160\128"), "\\xED\\xA0\\x80", "surrogate")
  test.equal(printable.utf8("\244\144\128\128"), "\\xF4\\x90\\x80\\x80", "past the last code point")
  test.equal(printable.utf8("\226\130"), "\\xE2\\x82", "cut short")
end)

test("what reorders or steers a terminal is escaped", function()
  test.equal(printable.line("a\226\128\174b"), "a\\xE2\\x80\\xAEb")
  test.equal(printable.line("\194\155"), "\\xC2\\x9B")
  test.equal(printable.line("a\nb"), "a\\x0Ab")
  test.equal(printable.lines("a\nb\27"), "a\nb\\x1B")
end)

test("width counts columns: wide, combining and plain characters", function()
  test.equal(text_table.width("abc"), 3)
  test.equal(text_table.width("é"), 1)
  test.equal(text_table.width("e\204\129"), 1)
  test.equal(text_table.width("層"), 2)
  test.equal(text_table.width("✓"), 1)
end)

test("rows are aligned and have no blanks at their ends", function()
  test.equal((text_table.lines({ { "a", "1" }, { "bcd", "22" } }, { align = { [2] = "right" } })),
    { "a     1", "bcd  22" })
  test.equal((text_table.lines { { "a", "" }, { "b", "x" } }), { "a", "b  x" })
end)

test("text is wrapped at blanks and long words stay whole", function()
  local long = ("x"):rep(50)
  local lines = text_table.wrap("one " .. long .. " two", 40, "  ")
  test.equal(lines, { "  one", "  " .. long, "  two" })
  test.equal(text_table.wrap("", 40), {})
end)

test("a text that is too long ends in an ellipsis within its width", function()
  test.equal(text_table.shorten("one two three", 9, "…"), "one two…")
  test.equal(text_table.shorten("one two", 9, "…"), "one two")
  test.equal(text_table.shorten("層層層層", 5, "…"), "層層…")
end)

local function system_with(env, tty)
  return { isatty = function() return tty end, columns = function() return 80 end,
    env = function(name) return env[name] end }
end

test("colours need a terminal, no NO_COLOR and a TERM that is not dumb", function()
  test.equal(style.detect(1, system_with({}, true)).colour, true)
  test.equal(style.detect(1, system_with({}, false)).colour, false)
  test.equal(style.detect(1, system_with({ NO_COLOR = "1" }, true)).colour, false)
  test.equal(style.detect(1, system_with({ NO_COLOR = "" }, true)).colour, true)
  test.equal(style.detect(1, system_with({ TERM = "dumb" }, true)).colour, false)
end)

test("beyond ASCII only where the locale is UTF-8, LC_ALL before LANG", function()
  test.equal(style.detect(1, system_with({ LANG = "en_US.UTF-8" }, true)).ascii, false)
  test.equal(style.detect(1, system_with({ LANG = "en_US.UTF-8", LC_ALL = "C" }, true)).ascii, true)
  test.equal(style.detect(1, system_with({ LC_ALL = "C.utf8" }, true)).ascii, false)
  test.equal(style.detect(1, system_with({}, true)).ascii, true)
end)
