-- Filters that make texts. Source: Jinja 3.1, filters.py; tojson is that of transformers 5.17.

local arguments = require "qspec.template.arguments"
local case = require "qspec.template.case"
local characters = require "qspec.template.characters"
local formatting = require "qspec.template.formatting"
local limits = require "qspec.template.limits"
local operators = require "qspec.template.operators"
local printing = require "qspec.template.printing"
local texts = require "qspec.template.texts"
local values = require "qspec.template.values"

local given, flag = arguments.given, arguments.flag

local function integer(value, otherwise)
  return arguments.integer(value, otherwise, "the filter")
end

local M = {}

-- Filters that take the value as text.
local function of_text(params, run, required)
  return { params = params, required = required, run = function(value, o, engine)
    local text = printing.str(value, engine.meter)
    engine.meter:text(#text)
    return run(text, o, engine)
  end }
end

M.upper = of_text({}, case.upper)
M.lower = of_text({}, case.lower)
M.capitalize = of_text({}, case.capitalize)
M.string = of_text({}, function(text) return text end)
M.trim = of_text({ "chars" }, function(text, o)
  return characters.strip(text, arguments.text(o.chars, nil, "trim"))
end)

local WORD_ENDS = "[-%s({%[<]"

M.title = of_text({}, function(text)
  local raised = case.lower(text):gsub("^[^-%s({%[<]", case.upper)
  return (raised:gsub("(" .. WORD_ENDS .. ")([^-%s({%[<])", function(before, letter)
    return before .. letter:upper()
  end))
end)

M.replace = of_text({ "old", "new", "count" }, function(text, o, engine)
  local old, new = printing.str(o.old, engine.meter), printing.str(o.new, engine.meter)
  return texts.replaced(text, old, new, integer(given(o.count), -1), engine.meter)
end, 2)

M.center = of_text({ "width" }, function(text, o, engine)
  return texts.methods.center.run(text, { width = integer(o.width, 80) }, engine.meter)
end)

M.wordcount = of_text({}, function(text)
  local _, count = case.ascii(text, "wordcount"):gsub("[%w_]+", "")
  return count
end)

M.indent = { params = { "width", "first", "blank" }, run = function(value, o, engine)
  value = arguments.text(value, "", "indent")
  local width = o.width
  if type(width) ~= "string" then
    width = operators.binary["*"](" ", integer(width, 4), engine.meter)
  end
  local lines, parts = texts.split_lines(value .. "\n", false), {}
  engine.meter:text(#value + #lines * #width)
  for i, line in ipairs(lines) do
    local indented = i > 1 and (line ~= "" or flag(o.blank)) or i == 1 and flag(o.first)
    parts[i] = indented and width .. line or line
  end
  return table.concat(parts, "\n")
end }

local TRUNCATE_LEEWAY = 5

M.truncate = { params = { "length", "killwords", "end", "leeway" }, run = function(value, o)
  local length = integer(o.length, 255)
  local ending = arguments.text(o["end"], "...", "truncate")
  local room = length - characters.length(ending)
  if room < 0 then limits.fail("truncate: the ending is longer than the length") end
  local leeway = integer(given(o.leeway), TRUNCATE_LEEWAY)
  if (values.length(value) or math.huge) <= length + leeway then return value end
  local kept = characters.sub(arguments.text(value, "", "truncate"), 0, room)
  if not flag(o.killwords) then kept = kept:match("^(.*) [^ ]*$") or kept end
  return kept .. ending
end }

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["'"] = "&#39;",
  ['"'] = "&#34;" }

local function escape(value, _, engine)
  if values.kind(value) == "markup" then return value end
  local text = printing.str(value, engine.meter)
  return { kind = "markup", text = (text:gsub("[&<>'\"]", ENTITIES)) }
end

M.escape = { params = {}, run = escape }
M.e = M.escape
M.safe = { params = {}, run = function(value, _, engine)
  return { kind = "markup", text = printing.str(value, engine.meter) }
end }

--- "%s" % arguments, spread here as the filter's own.
M.format = { spread = true, run = function(value, positional, named, engine)
  local text = printing.str(value, engine.meter)
  if #named.order > 0 then
    limits.fail("the filter format with named arguments is not supported", nil, "unsupported")
  end
  return formatting.percent(text, values.tuple(positional), engine.meter)
end }

M.tojson = { params = { "ensure_ascii", "indent", "separators", "sort_keys" },
  run = function(value, o, engine)
    local indent, separators = given(o.indent), given(o.separators)
    if indent and type(indent) ~= "string" then
      indent = operators.binary["*"](" ", integer(indent), engine.meter)
    end
    local item, key = indent and "," or ", ", ": "
    if separators then
      local pair = values.iterate(separators)
      item, key = arguments.text(pair[1], "", "tojson"), arguments.text(pair[2], "", "tojson")
    end
    return printing.json(value, { ascii = flag(o.ensure_ascii), indent = indent, item = item,
      key = key, sort = flag(o.sort_keys), meter = engine.meter })
  end }

return M
