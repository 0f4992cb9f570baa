-- qspec explain: a page about one check, format, architecture, operator, tokenizer class, reporter
-- or command, made from the fields of its own file.

local nearest = require "qspec.nearest"
local outcome = require "qspec.outcome"
local registry = require "qspec.registry"
local schema = require "qspec.schema"
local system = require "host.system"
local text_table = require "qspec.text_table"
local tier = require "qspec.tier"

local M = {
  name = "explain",
  summary = "explain a check, format, architecture, operator, tokenizer class, reporter or command",
  examples = { "qspec explain memory", "qspec explain bitsandbytes" },
}

local NOUNS = {
  { "checks", "check" },
  { "formats", "format" },
  { "architectures", "architecture" },
  { "operators", "operator" },
  { "tokenizer_classes", "tokenizer class" },
  { "reporters", "reporter" },
  { "commands", "command" },
}

local PAGE_WIDTH = 94

local NEEDS = {
  config = "config.json only",
  header = "config.json and tensor headers; no weights are read",
  weights = "tensor bytes",
  forward = "a forward pass of the model",
  generate = "greedy generation with the model",
}

local function type_of(param)
  local function join(types)
    return type(types) == "table" and table.concat(types, " or ") or types
  end
  if param.list_of then
    return "list of " .. join(param.list_of)
  end
  return join(param.type) or "any"
end

local function default_of(param)
  if param.required then
    return "required"
  elseif param.default == nil then
    return ""
  elseif type(param.default) ~= "table" then
    return "default " .. schema.show(param.default)
  end
  local shown = {}
  for i, value in ipairs(param.default) do
    shown[i] = schema.show(value)
  end
  return "default { " .. table.concat(shown, ", ") .. " }"
end

local function help_of(param)
  local help = param.help or ""
  if param.allowed then
    local allowed = "one of " .. table.concat(param.allowed, ", ")
    help = help == "" and allowed or help .. "; " .. allowed
  end
  return help
end

local function param_lines(params)
  local names, rows = {}, {}
  for name in pairs(params) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    return tostring(a) < tostring(b)
  end)
  for i, name in ipairs(names) do
    local param = params[name]
    local label = type(name) == "number" and (param.name or "(unnamed)") or name
    rows[i] = { label, type_of(param), default_of(param), help_of(param) }
  end
  return (text_table.lines(rows, { indent = "  " }))
end

local function indented(text)
  local lines = {}
  for line in (text:gsub("%s+$", "") .. "\n"):gmatch("([^\n]*)\n") do
    lines[#lines + 1] = line == "" and "" or "  " .. line
  end
  return lines
end

local function bullets(texts)
  local lines = {}
  for _, text in ipairs(texts) do
    for i, line in ipairs(text_table.wrap(text, PAGE_WIDTH)) do
      lines[#lines + 1] = (i == 1 and "  - " or "    ") .. line
    end
  end
  return lines
end

local function tier_lines(check)
  local lines = {}
  for i, part in ipairs(tier.parts(check)) do
    local option = part.tier == "config" and "" or " (--tier " .. part.tier .. ")"
    lines[i] = "  " .. NEEDS[part.tier] .. option
  end
  return lines
end

local function page(entry, noun)
  local lines = { noun .. " " .. entry.name .. ": " .. entry.summary }
  local function section(title, body)
    lines[#lines + 1] = ""
    lines[#lines + 1] = title
    for _, line in ipairs(body) do
      lines[#lines + 1] = line
    end
  end
  if entry.needs then
    section("Reads", tier_lines(entry))
  end
  if entry.details then
    section("Details", indented(entry.details))
  end
  if entry.params and next(entry.params) ~= nil then
    section("Takes", param_lines(entry.params))
  end
  if entry.fallbacks then
    section("Where it falls back to full precision in silence", bullets(entry.fallbacks))
  end
  if entry.example then
    section("Example", indented(entry.example))
  end
  return table.concat(lines, "\n") .. "\n"
end

local function unknown(name)
  local names = {}
  for _, kind in ipairs(NOUNS) do
    for _, candidate in ipairs(registry(kind[1]).names()) do
      names[#names + 1] = candidate
    end
  end
  local meant = nearest(name, names)
  return outcome.error("usage", "there is no page about '" .. name .. "'",
    meant and "did you mean '" .. meant .. "'?" or "'qspec list' shows every name")
end

function M.options(parser)
  parser:argument("name", "Name of a check, format, architecture, operator, reporter or command.")
end

function M.run(args)
  local pages = {}
  for _, kind in ipairs(NOUNS) do
    local entries = registry(kind[1])
    if entries.has(args.name) then
      local text = page(entries.get(args.name), kind[2])
      if kind[1] == "commands" then
        text = text .. "\n" .. require("qspec.command_line").help(entries.get(args.name))
      end
      pages[#pages + 1] = text
    end
  end
  if #pages == 0 then
    error(unknown(args.name), 0)
  end
  system.stdout(table.concat(pages, "\n"))
  return 0
end

return M
