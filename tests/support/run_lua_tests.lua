-- Runs Lua test files: qspec lua tests/support/run_lua_tests.lua [--filter WORDS] FILE...
-- A line a case ("ok MS file: name" or "not ok ..."), the counts last; exit 1 when any failed.

local sandbox = require "host.sandbox"
local system = require "host.system"
local test = require "test"

local MAX_FILE_BYTES = 4 * 2 ^ 20

local function parse(words)
  local files, filter = {}, nil
  local index = 1
  while index <= #words do
    if words[index] == "--filter" then
      filter, index = words[index + 1], index + 1
    else
      files[#files + 1] = words[index]
    end
    index = index + 1
  end
  return files, filter
end

-- The cases of one file; a file that cannot be loaded is one failed case.
local function cases_of(path)
  test.cases = {}
  local chunk, message = sandbox.load(system.read(path, MAX_FILE_BYTES), "@" .. path, _G)
  local load = { name = "loads", body = function() test.fail(message) end }
  if not chunk then return { load } end
  local loaded, err = pcall(chunk)
  if loaded then return test.cases end
  message = tostring(err)
  return { load }
end

local function indented(text) return "    " .. text:gsub("\n", "\n    ") end

local function line_of(path, case, outcome, milliseconds)
  local label = outcome.status == "failed" and "not ok" or "ok"
  local line = ("%s %8.2f %s: %s"):format(label, milliseconds, path:match("[^/]*$"), case.name)
  if outcome.status == "skipped" then return line .. " # skip " .. outcome.message .. "\n" end
  if outcome.status == "passed" then return line .. "\n" end
  local where = outcome.where ~= "" and outcome.where .. ": " or ""
  return line .. "\n" .. indented(where .. outcome.message) .. "\n"
end

local function run_file(path, filter, counts)
  for _, case in ipairs(cases_of(path)) do
    if not filter or case.name:find(filter, 1, true) then
      local began = system.clock()
      local outcome = test.run(case)
      counts[outcome.status] = counts[outcome.status] + 1
      system.stdout(line_of(path, case, outcome, (system.clock() - began) * 1000))
    end
  end
end

local files, filter = parse(arg)
local counts = { passed = 0, failed = 0, skipped = 0 }
for _, path in ipairs(files) do run_file(path, filter, counts) end
system.stdout(("%d passed, %d failed, %d skipped\n"):format(counts.passed, counts.failed,
  counts.skipped))
return counts.failed == 0 and counts.passed + counts.skipped > 0 and 0 or 1
