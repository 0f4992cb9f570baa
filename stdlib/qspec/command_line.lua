-- From a command's declared options to parsed arguments and its help page.

local outcome = require "qspec.outcome"

local M = {}

local HELP_WIDTH = 96

local function sentence(command)
  return command.summary:gsub("^%l", string.upper) .. "."
end

local function epilog_of(command)
  if not command.examples then
    return nil
  end
  return "Examples:\n  " .. table.concat(command.examples, "\n  ")
end

-- A parser that neither prints nor exits: it raises, and main reports.
local function parser_of(command)
  local argparse = require("argparse") -- 2,100 lines: only commands that take options pay for it
  local parser = argparse("qspec " .. command.name, sentence(command), epilog_of(command))
  parser:add_help(false):help_max_width(HELP_WIDTH):usage_max_width(HELP_WIDTH)
  parser:flag("-h --help", "Show this page.")
  if command.options then
    command.options(parser)
  end
  return parser
end

local function usage_error(command, message)
  local first, rest = message:match("^([^\n]*)\n?(.*)$")
  local page = "'qspec help " .. command.name .. "' shows what it takes"
  local hint = rest ~= "" and rest:gsub("^D", "d"):gsub("\n", " ") .. " " .. page or page
  return outcome.error("usage", first, hint)
end

-- argparse takes a word that begins with "-" for an option. No option is a number, so that a
-- negative number behind one is its value: "--temperature", "-1" become "--temperature=-1".
local function with_negative_values(words)
  local joined, is_past_options = {}, false
  for _, word in ipairs(words) do
    local last = joined[#joined]
    is_past_options = is_past_options or last == "--"
    local takes = not is_past_options and last and last:find("^%-%-[%w-]+$")
    if takes and word:find("^%-%.?%d") then
      joined[#joined] = last .. "=" .. word
    else
      joined[#joined + 1] = word
    end
  end
  return joined
end

---Whether the words ask for help; words after "--" do not.
---@param words string[]
---@return boolean
function M.asks_for_help(words)
  for _, word in ipairs(words) do
    if word == "-h" or word == "--help" then
      return true
    elseif word == "--" then
      return false
    end
  end
  return false
end

---The arguments as declared by command.options; raises an error of kind "usage".
---@param command table
---@param words string[]
---@return table
function M.parse(command, words)
  local ok, result = parser_of(command):pparse(with_negative_values(words))
  if not ok then
    error(usage_error(command, tostring(result)), 0)
  end
  return result
end

---@param command table
---@return string
function M.help(command)
  return parser_of(command):get_help() .. "\n"
end

---One parser with every command, for shell completions.
---@param commands table[]
---@return table
function M.program(commands)
  local program = require("argparse")("qspec", "Is a quantized model what it claims to be?")
  program:flag("--version", "Show the version.")
  for _, command in ipairs(commands) do
    local sub = program:command(command.name, sentence(command))
    if command.options then
      command.options(sub)
    end
  end
  return program
end

return M
