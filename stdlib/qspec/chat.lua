-- Messages to a prompt, through a checkpoint's chat template, as transformers' apply_chat_template.
--
-- Source: transformers 5.17, tokenization_utils_base.py (_from_pretrained, get_chat_template,
-- apply_chat_template) and utils/chat_template_utils.py (render_jinja_template).

local json = require "host.json"
local nearest = require "qspec.nearest"
local outcome = require "qspec.outcome"
local system = require "host.system"
local template = require "qspec.template"

local M = {}

local DEFAULT = "chat_template.jinja"
local OTHERS = "additional_chat_templates"
local CONFIG = "tokenizer_config.json"
local MOST_BYTES = 2 ^ 24

local function refuse(kind, message, hint, where)
  error(outcome.error(kind, message, hint, where), 0)
end

-- Templates of a checkpoint ----------------------------------------------------------------------

local function of_files(subject)
  local found = {}
  if subject:has_file(DEFAULT) then
    found.default = { text = subject.folder:text(DEFAULT), where = subject:file(DEFAULT) }
  end
  for _, file in ipairs(subject.path and system.list(subject:file(OTHERS)) or {}) do
    local name, path = file:match("^(.+)%.jinja$"), subject:file(OTHERS .. "/" .. file)
    if name then found[name] = { text = system.read(path, MOST_BYTES), where = path } end
  end
  return next(found) and found
end

local function named(list, where)
  local found = {}
  for i, entry in ipairs(list) do
    if type(entry) ~= "table" or type(entry.name) ~= "string"
      or type(entry.template) ~= "string" then
      refuse("checkpoint", ("chat template %d has no name and template"):format(i), nil, where)
    end
    found[entry.name] = { text = entry.template,
      where = ("%s, chat_template %s"):format(where, entry.name) }
  end
  return found
end

local function of_config(subject)
  if not subject:has_file(CONFIG) then return nil end
  local config = subject.folder:json(CONFIG)
  local value = type(config) == "table" and config.chat_template
  local where = subject:file(CONFIG)
  if type(value) == "string" then
    return { default = { text = value, where = where .. ", chat_template" } }
  end
  if type(value) == "table" then return named(value, where) end
end

local function of_gguf(subject)
  local text = subject.stored:metadata("tokenizer.chat_template")
  if type(text) ~= "string" then return nil end
  return { default = { text = text, where = "tokenizer.chat_template" } }
end

--- All templates by name. Files come before what tokenizer_config.json says.
---@param subject table
---@return table<string, { text: string, where: string }>
function M.templates(subject)
  if subject.gguf then return of_gguf(subject) or {} end
  return of_files(subject) or of_config(subject) or {}
end

local function names_of(templates)
  local names = {}
  for name in pairs(templates) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function refuse_unknown(subject, templates, name)
  local names = names_of(templates)
  local where = subject.path or subject.name
  if #names == 0 then
    refuse("checkpoint", "this checkpoint has no chat template",
      "it is no model for conversations, or the template was left out when it was saved", where)
  elseif not name then
    refuse("usage", "this checkpoint has several chat templates and none is the default",
      "name one of " .. table.concat(names, ", "), where)
  end
  local close = nearest(name, names)
  refuse("usage", ("there is no chat template '%s'"):format(name), close
    and ("did you mean '%s'?"):format(close) or "there are " .. table.concat(names, ", "), where)
end

local function chosen(subject, o)
  local templates = M.templates(subject)
  local name = o.template or o.tools and templates.tool_use and "tool_use" or "default"
  return templates[name] or refuse_unknown(subject, templates, o.template)
end

-- Messages ---------------------------------------------------------------------------------------

local TAG = "CONTINUE_FINAL_MESSAGE_TAG "

-- A copy of the messages whose last text ends with a mark.
local function marked(messages)
  local copy = json.array {}
  for i, message in ipairs(messages) do copy[i] = message end
  local last = {}
  for key, value in pairs(messages[#messages]) do last[key] = value end
  if type(last.content) ~= "string" then
    refuse("usage", "the last message has no text to continue", nil, "messages")
  end
  last.content, copy[#copy] = last.content .. TAG, last
  return copy
end

local function last_place(text, part)
  local place, at = nil, 0
  repeat
    at = text:find(part, at + 1, true)
    place = at or place
  until not at
  return place
end

-- The text up to the mark, which a template may have trimmed.
local function up_to_mark(text)
  local place = last_place(text, TAG:sub(1, -2))
  if not place then
    refuse("usage", "the template leaves the last message out, it cannot be continued")
  end
  local before = text:sub(1, place - 1)
  return text:sub(place, place + #TAG - 1) == TAG and before or (before:gsub("%s+$", ""))
end

local function check_messages(messages)
  if type(messages) == "table" and #messages > 0 then return end
  refuse("usage", "there are no messages", "a conversation has at least one", "messages")
end

--- The prompt of a conversation. Raises "usage" for messages that the template refuses.
---@param subject table
---@param messages table[] { role, content, ... }
---@param o { add_generation_prompt: boolean?, continue_final_message: boolean?, tools: table[]?,
---  documents: table[]?, template: string?, variables: table?, kinds: table?, now: string? }?
---  variables are names that the template may use; kinds those of host.json, by name
---@return string
function M.render(subject, messages, o)
  o = o or {}
  check_messages(messages)
  local source, context = chosen(subject, o), {}
  for name, text in pairs(subject.special_tokens) do context[name] = text end
  for name, value in pairs(o.variables or {}) do context[name] = value end
  context.messages = o.continue_final_message and marked(messages) or messages
  context.tools, context.documents = o.tools or json.null, o.documents or json.null
  context.add_generation_prompt = o.add_generation_prompt or false
  local text = template.compile(source.text, source.where):render(context,
    { kinds = o.kinds, now = o.now })
  return o.continue_final_message and up_to_mark(text) or text
end

--- The templates that do not parse.
---@param subject table
---@return { name: string, err: qspec.Error }[]
function M.broken(subject)
  local list, templates = {}, M.templates(subject)
  for _, name in ipairs(names_of(templates)) do
    local ok, err = pcall(template.compile, templates[name].text, templates[name].where)
    if not ok then list[#list + 1] = { name = name, err = outcome.from(err) } end
  end
  return list
end

return M
