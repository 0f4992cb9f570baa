-- The program, from its words to its exit code.

local outcome = require "qspec.outcome"
local printable = require("qspec.printable").lines
local registry = require "qspec.registry"
local roots = require "qspec.roots"
local strict = require "qspec.strict"
local system = require "host.system"

local ALIASES = { ["--version"] = "version", ["--help"] = "help", ["-h"] = "help" }

-- The host knows the last root, that of the modules which ship.
local function search_own_folders()
  local folders = roots()
  for i = #folders - 1, 1, -1 do
    package.path = folders[i] .. "/?.lua;" .. package.path
  end
end

local function report(err)
  local lines = { "qspec: error: " .. printable(err.message) }
  if err.where ~= "" then
    lines[#lines + 1] = "  where: " .. printable(err.where)
  end
  if err.hint ~= "" then
    lines[#lines + 1] = "  hint: " .. printable(err.hint)
  end
  system.stderr(table.concat(lines, "\n") .. "\n")
  return outcome.exit_of_error(err)
end

-- Only a fault of ours is a plain string; its place in our code is what a bug report needs.
local function with_traceback(err)
  if type(err) == "string" then
    local trace = debug.traceback(err, 2):gsub("\t", "  ")
    return outcome.error("internal", trace, "this is a fault of qspec, not of your model")
  end
  return outcome.from(err)
end

local function run_command(name, words)
  local command = registry("commands").get(name)
  if not command.options then
    return command.run(words)
  end
  local command_line = require "qspec.command_line"
  if command_line.asks_for_help(words) then
    system.stdout(command_line.help(command))
    return outcome.EXIT_PASS
  end
  return command.run(command_line.parse(command, words))
end

local function dispatch(argv)
  local name = argv[1]
  if not name then
    system.stderr(require("qspec.commands.help").overview())
    return outcome.EXIT_USAGE
  end
  name = ALIASES[name] or name
  if name:sub(1, 1) == "-" then
    error(outcome.error("usage", "the first word is the option '" .. name .. "', wanted a command",
      "'qspec help' lists the commands"), 0)
  end
  return run_command(name, { unpack(argv, 2) })
end

---@param argv string[] the words after the program's name
---@return integer exit code
return function(argv)
  search_own_folders()
  strict(_G)
  local ok, result = xpcall(function()
    return dispatch(argv)
  end, with_traceback)
  return ok and (result or outcome.EXIT_PASS) or report(result)
end
