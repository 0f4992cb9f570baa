-- The options of a command line that ask for a conversation: --chat, --messages.

local chat = require "qspec.chat"
local json = require "host.json"
local outcome = require "qspec.outcome"

local M = {}

function M.options(parser)
  parser:option("--chat", "What a user says; the model's chat template makes a prompt of it.")
    :argname("TEXT")
  parser:option("--messages", "JSON: a list of messages, or an object with messages and tools.")
    :argname("FILE")
  parser:flag("--no-generation-prompt", "Do not open an answer behind the messages.")
end

local function refuse(message, hint, where)
  error(outcome.error("usage", message, hint, where), 0)
end

-- An object's other fields are variables of the template.
local function of_object(value, kinds)
  local o = { kinds = kinds, variables = {} }
  for name, field in pairs(value) do
    if name == "tools" or name == "documents" then
      if field ~= json.null then o[name] = field end
    elseif name ~= "messages" then
      o.variables[name] = field
    end
  end
  return value.messages, o
end

local function read(path)
  local value, kinds = json.read(path)
  if type(value) ~= "table" then refuse("this is no list of messages", nil, path) end
  if json.is_array(value) then return value, { kinds = { messages = kinds } } end
  if type(value.messages) ~= "table" then
    refuse("the object has no messages", 'wanted [...] or {"messages": [...]}', path)
  end
  return of_object(value, kinds)
end

--- What the options ask for: texts, or a table with the text that the chat template made.
---@param subject table
---@param args table
---@return (string|{ text: string })[]
function M.prompts(subject, args)
  local given = (#args.prompt > 0 and 1 or 0) + (args.chat and 1 or 0) + (args.messages and 1 or 0)
  if given ~= 1 then
    refuse(("%s --prompt, --chat and --messages"):format(given == 0 and "missing one of"
      or "wanted only one of"), "'qspec help generate' shows what they take")
  elseif #args.prompt > 0 then
    return args.prompt
  end
  local messages, o
  if args.messages then
    messages, o = read(args.messages)
  else
    messages, o = json.array { { role = "user", content = args.chat } }, {}
  end
  o.add_generation_prompt = not args.no_generation_prompt
  return { { text = chat.render(subject, messages, o) } }
end

--- What to show of a generation: of a conversation only what the model says.
---@param subject table
---@param prompt string|{ text: string }
---@param result table of generation.run
---@return string
function M.shown(subject, prompt, result)
  if type(prompt) == "string" then return result.text end
  local answer = {}
  for i = #result.given_ids + 1, #result.output_ids do
    answer[#answer + 1] = result.output_ids[i]
  end
  return subject.tokenizer:decode(answer, true)
end

return M
