-- qspec lua: a trusted script of the user's own, with the standard library and the host modules.

local outcome = require "qspec.outcome"
local sandbox = require "host.sandbox"
local system = require "host.system"

local M = {
  name = "lua",
  summary = "run a Lua script of your own, trusted, with all of qspec at hand",
  examples = { "qspec lua examples/01_inspect.lua", "qspec lua FILE [ARGUMENTS]" },
  details = [[
The script sees the modules that qspec itself is made of: require("host.checkpoint"),
require("host.tensor"), require("qspec.registry") and the rest; modules beside the script are
found too. Its arguments are in the global table 'arg'. A whole number that it returns is the exit
code. Unlike a spec it is not confined: run only scripts that you trust.]],
}

local LONGEST_SCRIPT = 4 * 1024 * 1024

local function folder_of(path)
  return path:match("^(.*)/[^/]*$") or "."
end

local function load_script(path)
  local found = system.kind(path)
  if found ~= "file" then
    local message = found and "'" .. path .. "' is a " .. found .. ", wanted a Lua file"
    error(outcome.error("usage", message or "there is no file '" .. path .. "'"), 0)
  end
  local text = system.read(path, LONGEST_SCRIPT):gsub("^#![^\n]*", "")
  local script, message = sandbox.load(text, "@" .. path, _G)
  if not script then
    error(outcome.error("usage", "the script does not load: " .. message, nil, path), 0)
  end
  return script
end

-- A text that the script raises is the script's own mistake, not one of qspec.
local function with_traceback(err)
  if type(err) == "string" then
    return outcome.error("spec", (debug.traceback(err, 2):gsub("\t", "  ")))
  end
  return outcome.from(err, "spec")
end

function M.run(words)
  local path = words[1]
  if not path or path == "-h" or path == "--help" then
    local page = require("qspec.command_line").help(M)
    local write = path and system.stdout or system.stderr
    write(page)
    return path and outcome.EXIT_PASS or outcome.EXIT_USAGE
  end
  local script = load_script(path)
  local script_arguments = { unpack(words, 2) }
  script_arguments[0] = path
  rawset(_G, "arg", script_arguments)
  package.path = folder_of(path) .. "/?.lua;" .. package.path
  local ok, result = xpcall(function()
    return script(unpack(words, 2))
  end, with_traceback)
  if not ok then
    error(result, 0)
  end
  return type(result) == "number" and result or outcome.EXIT_PASS
end

return M
