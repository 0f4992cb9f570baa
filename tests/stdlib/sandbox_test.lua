-- What hostile and careless scripts get in the sandbox: an error that says why, or a harmless
-- result.

local sandbox = require "host.sandbox"
local system = require "host.system"
local test = require "test"

local LIMITS = { steps = 2e6, seconds = 2, bytes = 32 * 2 ^ 20 }

-- Most that a stopped script may take, the machine being busy.
local PATIENCE = 10

-- Steps enough to reach the limit of memory first.
local MEMORY_LIMITS = { steps = 1e8, seconds = 5, bytes = LIMITS.bytes }

local function run(script, extra, limits)
  local environment = sandbox.environment { print = function() end }
  for name, value in pairs(extra or {}) do environment[name] = value end
  local chunk, message = sandbox.load(script, "@spec:hostile.lua", environment)
  if not chunk then return false, message end
  return sandbox.call(limits or LIMITS, chunk)
end

local function refuses(sentence, script, pattern, extra, limits)
  test(sentence, function()
    local began = system.clock()
    local passed, err = run(script, extra, limits)
    test.equal(passed, false)
    test.ok(tostring(err):find(pattern), ("got the error '%s', wanted one like '%s'"):format(
      tostring(err), pattern))
    test.ok(system.clock() - began < PATIENCE, "took too long")
  end)
end

local function gives(sentence, script, ...)
  local wanted = { ... }
  test(sentence, function()
    local results = { run(script) }
    test.equal(results[1], true, tostring(results[2]))
    test.equal({ unpack(results, 2) }, wanted)
  end)
end

local STEPS = "ran more than 2000000 instructions"
local BYTES = "used more than 32 MiB of memory"

-- Loops.
refuses("stops an endless loop", "while true do end", STEPS)
refuses("stops a loop of a huge count", "for i = 1, 1e18 do end", STEPS)
refuses("stops a repeat that never ends", "repeat until false", STEPS)
refuses("stops a goto that never ends", "::again:: goto again", STEPS)
refuses("stops functions that call each other for ever",
  "local a, b function a() return b() end function b() return a() end a()", STEPS)
refuses("names the line of an endless loop", "local x = 1\n\nwhile true do\n  x = x + 1\nend",
  "hostile%.lua:[34]")
refuses("stops a loop of pcall over itself",
  "while true do pcall(function() while true do end end) end", STEPS)
refuses("lets no pcall catch a stop",
  "pcall(function() while true do end end) error('went on')", STEPS)
refuses("lets no nest of pcall catch a stop",
  "local function f() while true do end end pcall(pcall, pcall, f) error('went on')", STEPS)
refuses("stops an iterator that never ends", "for _ in function() return 1 end do end", STEPS)
refuses("stops a loop in the comparator of a sort",
  "table.sort({ 3, 2, 1 }, function() while true do end end)", STEPS)
refuses("stops a loop in the replacement of gsub",
  "(('x'):rep(10)):gsub('x', function() while true do end end)", STEPS)
refuses("stops a gmatch that restarts for ever",
  "while true do for _ in ('abc'):gmatch('.') do end end", STEPS)
refuses("stops a loop of bulk work that takes no instructions",
  "local s = ('x'):rep(2^20) while true do s:upper() end", STEPS)
refuses("stops a loop of reversals",
  "local s = ('x'):rep(2^20) while true do s:reverse() end", STEPS)
refuses("stops a loop of plain searches",
  "local s = ('x'):rep(2^20) while true do s:find('y', 1, true) end", STEPS)
refuses("stops a sort of a huge table",
  "local t = {} for i = 1, 150000 do t[i] = -i end for i = 1, 10 do table.sort(t) end", STEPS)
refuses("stops inserting at the front of a long list",
  "local t = {} for i = 1, 1e6 do table.insert(t, 1, i) end", STEPS)
refuses("stops removing from the front of a long list",
  "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.remove(t, 1) t[#t + 1] = 1 end",
  STEPS)
refuses("stops joining a long list for ever",
  "local t = {} for i = 1, 1e5 do t[i] = 'x' end while true do table.concat(t) end", STEPS)

test("stops at the time limit when the instructions are slow", function()
  local environment = sandbox.environment()
  local chunk = sandbox.load("local s = ('x'):rep(6e6) while true do local t = s .. 'y' end",
    "@spec:slow.lua", environment)
  local began = system.clock()
  local passed, err = sandbox.call({ steps = 1e12, seconds = 0.1, bytes = 64 * 2 ^ 20 }, chunk)
  test.equal(passed, false)
  test.ok(err.message:find("ran longer than 0.1 s", 1, true), err.message)
  test.ok(system.clock() - began < PATIENCE, "took too long")
end)

-- Memory.
refuses("stops a table that grows for ever", "local t = {} while true do t[#t + 1] = {} end", BYTES,
  {}, MEMORY_LIMITS)
refuses("stops a text that doubles for ever", "local s = 'x' while true do s = s .. s end", BYTES)
refuses("stops a table bomb inside pcall", [[
  local function grow() local t = {} while true do t[#t + 1] = ('x'):rep(1e5) .. #t end end
  while true do pcall(grow) end]],
  BYTES, {}, MEMORY_LIMITS)
refuses("lets no pcall catch the end of memory",
  "pcall(function() local s = 'x' while true do s = s .. s end end) error('went on')", BYTES)
refuses("refuses a huge repeat", "return ('x'):rep(1e9)", "longer than 64 MiB")
refuses("refuses a repeat whose count passes 32 bits",
  "return ('x'):rep(2^31)", "longer than 64 MiB")
refuses("refuses a repeat of 2^53", "return ('x'):rep(2^53)", "longer than 64 MiB")
refuses("refuses an infinite repeat", "return ('x'):rep(math.huge)", "longer than 64 MiB")
refuses("refuses a repeat that is no number", "return ('x'):rep(0/0)", "wanted a count")
refuses("refuses a bomb of a separator", "return (''):rep(1e9, 'x')", "longer than 64 MiB")
refuses("refuses a replacement bomb", "return ('x'):rep(2e6):gsub('.', ('y'):rep(1e6))",
  "longer than 64 MiB")
refuses("stops a closure bomb",
  "local f for i = 1, 1e9 do local g = f f = function() return g end end", BYTES, {},
  MEMORY_LIMITS)
refuses("refuses a join that passes the memory",
  "local t, s = {}, ('x'):rep(2^20) for i = 1, 100 do t[i] = s end return table.concat(t)", BYTES)
refuses("refuses a format that passes the memory",
  "local s = ('x'):rep(1e7) return ('%s%s%s%s'):format(s, s, s, s)", BYTES)
refuses("refuses to unpack a huge range", "return unpack({}, 0, 2^31 - 1)", "too many results")
refuses("refuses the bytes of a long text at once", "return ('x'):rep(1e6):byte(1, -1)",
  "slice too long")

-- Recursion.
refuses("stops deep recursion", "local function f() return 1 + f() end f()", "stack overflow")
refuses("stops recursion with many arguments", "local function f(...) return 1 + f(1, ...) end f()",
  "stack overflow")
refuses("stops recursion through pcall",
  "local function f() local ok, e = pcall(f) if not ok then error(e, 0) end return 1 end f()",
  "stack overflow")
refuses("stops recursion through gsub", "local function f() return (('x'):gsub('x', f)) end f()",
  "stack overflow")
refuses("stops recursion through a comparator",
  "local function f() table.sort({ 2, 1 }, f) return true end f()", "stack overflow")
refuses("refuses source that is nested too deep", "return " .. ("("):rep(5000) .. ("}"):rep(5000),
  "too many")

-- Patterns.
refuses("bounds the backtracking of a pattern",
  "return ('a'):rep(40):find(('a-'):rep(12) .. 'b')", "takes more than 10000000 steps")
refuses("bounds backtracking in match", "return ('a'):rep(40):match(('a*'):rep(12) .. 'b')",
  "more than 10000000 steps")
refuses("bounds backtracking in gsub", "return ('a'):rep(40):gsub(('a?a*'):rep(9) .. 'b', '')",
  "more than 10000000 steps")
refuses("bounds backtracking in gmatch",
  "for _ in ('a'):rep(40):gmatch(('a-'):rep(12) .. 'b') do end", "more than 10000000 steps")
refuses("stops patterns that are tried again and again", [[
  while true do pcall(string.find, ('a'):rep(40), ('a-'):rep(12) .. 'b') end]], STEPS)
refuses("bounds the repeats of a pattern", "return ('a'):rep(500):find(('a?'):rep(300) .. 'b')",
  "more than 200 repeats")
refuses("bounds the captures of a pattern", "return ('a'):find(('()'):rep(33))", "32 captures")
refuses("refuses a pattern that ends within a set", "return ('a'):find('[a')", "malformed pattern")
refuses("refuses a pattern that ends with a percent sign", "return ('a'):find('a%')",
  "malformed pattern")
refuses("refuses a capture that is not closed", "return ('a'):find('(a')", "unfinished capture")
refuses("refuses a reference to no capture", "return ('a'):find('%1')", "no finished capture")
refuses("refuses a replacement that names no capture", "return ('a'):gsub('a', '%2')",
  "'%%2', the pattern has 0 captures")
refuses("refuses a replacement that is a table value", "return ('a'):gsub('a', { a = {} })",
  "replacement is a table")

-- What is not there.
for _, name in ipairs { "io", "os", "debug", "package", "ffi", "jit", "coroutine" } do
  refuses("has no " .. name, "return " .. name .. ".x", "'" .. name .. "'")
end
for _, name in ipairs { "require", "load", "loadstring", "loadfile", "dofile", "module", "newproxy",
  "getfenv", "setfenv", "getmetatable", "setmetatable", "rawget", "rawset", "collectgarbage",
  "gcinfo", "xpcall" } do
  refuses("has no " .. name, name .. "()", "'" .. name .. "'")
end
refuses("has no string.dump", "return string.dump(function() end)", "'dump'")
refuses("has no random numbers", "return math.random()", "'random'")
refuses("has no table.foreach", "table.foreach({}, print)", "'foreach'")
gives("has no _G", "return _G == nil", true)
gives("has no method of texts that dumps", "return ('x').dump == nil", true)

-- What cannot be changed.
refuses("gives texts no field to write", "('x').rep = nil", "attempt to index")
gives("keeps methods of texts when its own string table is changed",
  "string.upper = nil string.rep = print return ('x'):upper(), ('x'):rep(2)", "X", "xx")
gives("keeps its own pcall when it overwrites the name", "pcall = nil return pcall == nil", true)

test("a spec that changes a library changes no other spec's", function()
  run("string.format = nil table.sort = nil math.floor = nil bit.band = nil")
  local passed, result = run("return ('%d'):format(math.floor(bit.band(7, 3.0)))")
  test.equal(passed, true)
  test.equal(result, "3")
  test.equal(string.format("%d", 3), "3")
end)

-- What it must not learn.
gives("tostring shows no address", "return tostring({}), tostring(print), tostring(nil)", "table",
  "function", "nil")
gives("format shows no address", "return ('%s %s'):format({}, print)", "table function")
refuses("format has no pointer", "return ('%p'):format({})", "'%%p' is no conversion")
gives("error messages show no address", [[
  local _, message = pcall(function() return {} .. 'x' end)
  return message:find('0x', 1, true) == nil]], true)

-- Text only.
refuses("refuses compiled code", "\27LJ\2\0", "compiled Lua")
refuses("refuses bytes that are not UTF-8", "local x = '\255'", "byte 11 is no part of UTF%-8")
refuses("refuses a NUL byte", "local x = 1\0", "byte 11 is no part of UTF%-8")
refuses("refuses an overlong sequence", "local x = '\192\128'", "byte 11")
refuses("refuses a source over 4 MiB", (" "):rep(4 * 2 ^ 20 + 1), "the limit is 4 MiB")
refuses("names the line of a syntax error", "local x\nlocal y = = 1", "hostile%.lua:2: ")

test("a syntax error in a file with a long path names the whole path", function()
  local path = "/" .. ("folder/"):rep(20) .. "spec.lua"
  local _, message = sandbox.load("x = = 1", "@spec:" .. path, {})
  test.ok(message:find("spec:" .. path .. ":1: ", 1, true), message)
end)

test("a run-time error in a file with a long path names the whole path", function()
  local path = "/" .. ("folder/"):rep(20) .. "spec.lua"
  local chunk = sandbox.load("\nerror 'bad'", "@spec:" .. path, sandbox.environment())
  local _, message = sandbox.call(LIMITS, chunk)
  test.equal(message, "spec:" .. path .. ":2: bad")
end)

test("a 64 bit number does not open the foreign function interface", function()
  local passed, result = run("return tostring(1LL + 2)")
  test.equal(passed, true)
  test.equal(result, "3LL")
  test.equal(package.loaded.ffi, nil)
  test.raises("module 'ffi' not found", require, "ffi")
end)

-- Errors as values.
refuses("passes an error without a value on", "error()", "nil")
refuses("cuts an error text of megabytes", "error(('x'):rep(2^20), 0)", "%(1048576 bytes%)$")
test("passes an error that is a table on", function()
  local passed, err = run("error { code = 7 }")
  test.equal(passed, false)
  test.equal(err.code, 7)
end)
refuses("an order function that lies is no crash", [[
  local t = {} for i = 1, 100 do t[i] = i % 7 end
  table.sort(t, function() return true end)]], "invalid order function")
refuses("stops a print that never ends", "while true do print(('x'):rep(1000)) end",
  "print wrote more than 1 MiB")

test("print gives whole lines without escape sequences to the host", function()
  local lines = {}
  local environment = sandbox.environment { print = function(text) lines[#lines + 1] = text end }
  local chunk = sandbox.load("print('a\\27[31m', 1, nil, {})", "@spec:x.lua", environment)
  test.equal(sandbox.call(LIMITS, chunk), true)
  test.equal(lines, { "a?[31m\t1\tnil\ttable" })
end)

-- Host objects.
local methods = { name = function(self) return sandbox.state(self).name end }

local function object() return sandbox.object(methods, { name = "secret" }) end

test("methods of a locked object reach its state, the script does not", function()
  local passed, name, state, other = run("return object:name(), object.state, object.nope",
    { object = object() })
  test.equal({ passed, name, state, other }, { true, "secret" })
end)
refuses("a locked object has no field to write", "object.name = print", "attempt to index",
  { object = object() })
refuses("a locked object is no table to walk", "for _ in pairs(object) do end", "pairs",
  { object = object() })
refuses("a locked object cannot be indexed by what is no method", "object:steal()", "'steal'",
  { object = object() })

test("a locked object shows no metatable", function()
  test.equal(getmetatable(object()), false)
end)
test("only objects made here have a state", function()
  for _, value in ipairs { 1, "x", {}, true, require("host.json").null } do
    test.equal(sandbox.state(value), nil)
  end
end)
test("a locked object takes operators and text from its class", function()
  local number = sandbox.object({}, { value = 3 }, {
    __tostring = function() return "three" end,
    __add = function(a, b) return sandbox.state(a).value + b end,
  })
  test.equal({ tostring(number), number + 4 }, { "three", 7 })
end)
for _, name in ipairs { "__index", "__newindex", "__gc", "__metatable", "__mode" } do
  test("a locked object cannot be unlocked through " .. name, function()
    test.raises("no metamethod", sandbox.object, {}, {}, { [name] = function() end })
  end)
end
test("a raw setmetatable on a locked object is refused", function()
  test.raises("table expected", setmetatable, object(), {})
end)

local function checkpoint()
  return require("host.checkpoint").open(system.home() .. "/examples/models/bloom-tiny-bnb-nf4")
end
refuses("a method called with a dot for a colon names itself", "c.find('x')",
  "'qspec%.Checkpoint:find' is a string, wanted qspec%.Checkpoint", { c = checkpoint() })
refuses("a method given another type's object names both", "c.find(object, 'x')",
  "is a userdata, wanted qspec%.Checkpoint", { c = checkpoint(), object = object() })
refuses("a handle used after its release is an error", "c:release() c:tensors()",
  "qspec%.Checkpoint was released", { c = checkpoint() })
test("a release of another type's object does nothing", function()
  local c = checkpoint()
  test.equal(run("c.release(object) c.release({}) c.release()", { c = c, object = object() }), true)
  test.ok(#c:tensors() > 0)
end)
refuses("a wrong argument under pcall still names the function",
  "local _, e = pcall(c.bytes, c, {}) error(tostring(e), 0)",
  "argument 2 of 'qspec%.Checkpoint:bytes' is a table, wanted a string", { c = checkpoint() })

-- Limits.
for _, name in ipairs { "steps", "seconds", "bytes" } do
  test("a limit of " .. name .. " must be above 0", function()
    for _, bad in ipairs { 0, -1, 0 / 0, "x" } do
      local limits = { steps = 1, seconds = 1, bytes = 1 }
      limits[name] = bad
      test.raises("the limit '" .. name .. "'", sandbox.call, limits, function() end)
    end
  end)
end

test("an inner call's stop does not stop the outer one", function()
  local small = { steps = 1e4, seconds = 1, bytes = 2 ^ 20 }
  local inner
  local passed = sandbox.call(LIMITS, function()
    inner = { sandbox.call(small, function() while true do end end) }
  end)
  test.equal(passed, true)
  test.equal(inner[1], false)
  test.ok(inner[2].message:find("10000 instructions", 1, true))
end)

test("an outer call's stop goes through the inner one", function()
  local large = { steps = 1e9, seconds = 10, bytes = 2 ^ 30 }
  local passed, err = sandbox.call(LIMITS, function()
    sandbox.call(large, function() while true do end end)
    error("went on")
  end)
  test.equal(passed, false)
  test.ok(tostring(err):find(STEPS), tostring(err))
end)

test("the outer memory limit holds inside an inner call with a larger one", function()
  local large = { steps = 1e9, seconds = 10, bytes = 2 ^ 40 }
  local passed, err = sandbox.call(LIMITS, function()
    sandbox.call(large, function() local s = "x" while true do s = s .. s end end)
    error("went on")
  end)
  test.equal(passed, false)
  test.ok(tostring(err):find(BYTES), tostring(err))
end)

test("after a stop the state works as before", function()
  for _ = 1, 5 do run("local s = 'x' while true do s = s .. s end") end
  test.equal(("x"):rep(3), "xxx")
  test.equal({ run("return 1 + 1") }, { true, 2 })
end)

test("garbage is collected before the memory limit is reached", function()
  local passed, err = run("for i = 1, 500 do local s = ('x'):rep(1e5) .. i end", {}, MEMORY_LIMITS)
  test.equal(passed, true, tostring(err))
end)

test("time inside the engine is not the script's", function()
  local text = ("x"):rep(2 ^ 24)
  local began = system.clock()
  local passed, err = sandbox.call({ steps = 1e9, seconds = 0.05, bytes = 2 ^ 28 }, function()
    while system.clock() - began < 0.2 do system.sha256(text) end
  end)
  test.equal(passed, true, tostring(err))
end)

test("an error of the host that has no place gets the line of the spec", function()
  local passed, err = run("\nlocal s = ('x'):rep(1e9)\nreturn s")
  test.equal(passed, false)
  test.equal(err.where, "hostile.lua:2")
end)
