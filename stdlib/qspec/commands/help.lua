-- qspec help: the overview, or one command's page.

local registry = require "qspec.registry"
local system = require "host.system"
local text_table = require "qspec.text_table"

local M = {
  name = "help",
  summary = "show this overview, or the page of one command",
  examples = { "qspec help", "qspec help run" },
}

local EXIT_CODES = {
  { "0", "every check passed" },
  { "1", "a check failed" },
  { "2", "the command line or a spec has a mistake" },
  { "3", "something could not be tested: input refused, capability missing, out of memory, too "
    .. "little text to decide" },
  { "4", "nothing was selected, or everything was skipped" },
  { "5", "a fault of qspec itself" },
}

---The short help of the program.
---@return string
function M.overview()
  local commands = {}
  for i, command in ipairs(registry("commands").all()) do
    commands[i] = { command.name, command.summary }
  end
  local lines = { "qspec: is a quantized model what it claims to be?", "" }
  local function section(title, rows)
    lines[#lines + 1] = title
    for _, line in ipairs((text_table.lines(rows, { indent = "  " }))) do
      lines[#lines + 1] = line
    end
    lines[#lines + 1] = ""
  end
  section("Usage:", { { "qspec COMMAND [options]" }, { "qspec run specs/bloom.lua" } })
  section("Commands:", commands)
  section("Exit codes:", EXIT_CODES)
  lines[#lines + 1] = "'qspec help COMMAND' shows what a command takes."
  return table.concat(lines, "\n") .. "\n"
end

function M.options(parser)
  parser:argument("command", "Command to explain."):args("?")
end

function M.run(args)
  if not args.command then
    system.stdout(M.overview())
    return 0
  end
  local command = registry("commands").get(args.command)
  system.stdout(require("qspec.command_line").help(command))
  return 0
end

return M
