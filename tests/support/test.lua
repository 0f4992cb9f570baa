-- The test framework. A test file is a list of sentences:
--
--   local test = require "test"
--   test("reads an empty folder as no models", function()
--     test.equal(models_in(test.tmpdir()), {})
--   end)
--
-- run_lua_tests.lua runs the files; nothing here prints.

local system = require "host.system"
local show = require "show"

local M = { cases = {} }

local SKIP = {}
local FAILURE = {}

---@class qspec.test.Failure
---@field message string
---@field where string file:line of the assertion

local function fail(message, level)
  local caller = debug.getinfo(level + 1, "Sl")
  local where = caller and ("%s:%d"):format(caller.short_src, caller.currentline) or ""
  error(setmetatable({ message = message, where = where }, FAILURE), 0)
end

-- The path to the first difference, or nil. NaN equals NaN: a test that wants one says so.
local function difference(got, wanted, path, compared)
  if got == wanted or (got ~= got and wanted ~= wanted) then return nil end
  if type(got) ~= "table" or type(wanted) ~= "table" then return path end
  if compared[got] == wanted then return nil end
  compared[got] = wanted
  for key, value in pairs(wanted) do
    local found = difference(got[key], value, path .. show.key(key), compared)
    if found then return found end
  end
  for key in pairs(got) do
    if wanted[key] == nil then return path .. show.key(key) end
  end
end

---Deep equality; the message shows both values and the path to the first difference.
---@param got any
---@param wanted any
---@param what? string what the value is, for the message
function M.equal(got, wanted, what)
  local path = difference(got, wanted, "", {})
  if not path then return end
  local message = ("%sgot %s, wanted %s"):format(what and what .. ": " or "", show.value(got),
    show.value(wanted))
  fail(path ~= "" and message .. "; they differ at " .. path or message, 2)
end

---Two numbers that are at most `tolerance` apart.
---@param got number
---@param wanted number
---@param tolerance number absolute
---@param what? string
function M.near(got, wanted, tolerance, what)
  if type(got) == "number" and math.abs(got - wanted) <= tolerance then return end
  fail(("%sgot %s, wanted %s within %s"):format(what and what .. ": " or "", show.value(got),
    show.value(wanted), show.value(tolerance)), 2)
end

---@param message string
function M.fail(message) fail(message, 2) end

---@param value any anything but false and nil passes
---@param message? string
function M.ok(value, message)
  if value then return end
  fail(message or ("got %s, wanted a true value"):format(show.value(value)), 2)
end

---Runs `f`, which must raise an error whose text matches the Lua pattern.
---@param pattern string
---@param f function
---@param ... any arguments of f
---@return any error the value that was raised
function M.raises(pattern, f, ...)
  local passed, err = pcall(f, ...)
  if passed then fail(("nothing was raised, wanted an error like '%s'"):format(pattern), 2) end
  if getmetatable(err) == FAILURE or err == SKIP then error(err, 0) end
  if not tostring(err):find(pattern) then
    fail(("raised %s, wanted an error like '%s'"):format(show.value(tostring(err)), pattern), 2)
  end
  return err
end

---Ends the running test as skipped.
---@param reason string what is missing, and how to get it
function M.skip(reason)
  SKIP.reason = reason
  error(SKIP, 0)
end

---A folder to write into; it exists, and whoever runs the tests removes it.
---@return string
function M.tmpdir()
  return system.env("QSPEC_TEST_TMPDIR") or system.env("TMPDIR") or "/tmp"
end

local files = 0

---A path in tmpdir() that no other test was given. Nothing is there yet.
---@param suffix? string for example ".json"
---@return string
function M.tmpfile(suffix)
  files = files + 1
  return ("%s/qspec-test-%d-%d%s"):format(M.tmpdir(), system.pid(), files, suffix or "")
end

---@class qspec.test.Outcome
---@field status "passed"|"failed"|"skipped"
---@field message? string
---@field where? string

-- Without what lies below the case: this framework and the program.
local function with_traceback(err)
  if err == SKIP or getmetatable(err) == FAILURE then return err end
  local trace = debug.traceback(tostring(err), 2)
  return { message = trace:gsub("\n%s*%[C%]: in function 'xpcall'.*$", ""), where = "" }
end

---Runs one case.
---@param case { name: string, body: function }
---@return qspec.test.Outcome
function M.run(case)
  local passed, err = xpcall(case.body, with_traceback)
  if passed then return { status = "passed" } end
  if err == SKIP then return { status = "skipped", message = SKIP.reason } end
  return { status = "failed", message = err.message, where = err.where }
end

return setmetatable(M, {
  __call = function(_, name, body)
    M.cases[#M.cases + 1] = { name = name, body = body }
  end,
})
