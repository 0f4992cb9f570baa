-- Conversations to prompts: which template is taken, and what it is given.

local chat = require "qspec.chat"
local Folder = require "qspec.folder"
local json = require "host.json"
local test = require "test"

-- A model folder of these files.
local function folder(files)
  local subject = { name = "m", path = "m", gguf = false, special_tokens = {},
    folder = Folder.new("m") }
  for name, content in pairs(files) do
    subject.folder:put(name, type(content) == "string" and content or json.encode(content))
  end
  function subject.has_file(_, name) return subject.folder:has(name) end
  function subject.file(_, name) return subject.folder:file(name) end
  return subject
end

local HELLO = { { role = "user", content = "Hello" } }

test("a file comes before what tokenizer_config.json says", function()
  local subject = folder { ["chat_template.jinja"] = "file", ["tokenizer_config.json"] = {
    chat_template = "config" } }
  test.equal(chat.render(subject, HELLO), "file")
end)

test("of several templates tool_use is taken when there are tools", function()
  local subject = folder { ["tokenizer_config.json"] = { chat_template = {
    { name = "default", template = "plain" }, { name = "tool_use", template = "tools" } } } }
  test.equal(chat.render(subject, HELLO), "plain")
  test.equal(chat.render(subject, HELLO, { tools = { {} } }), "tools")
  test.equal(chat.render(subject, HELLO, { template = "tool_use" }), "tools")
end)

test("of several templates without a default one must be named", function()
  local subject = folder { ["tokenizer_config.json"] = { chat_template = {
    { name = "rag", template = "r" }, { name = "tools", template = "t" } } } }
  local err = test.raises("several chat templates", chat.render, subject, HELLO)
  test.equal(err.hint, "name one of rag, tools")
  test.raises("no chat template 'tool'", chat.render, subject, HELLO, { template = "tool" })
end)

test("a checkpoint without a template says so", function()
  local err = test.raises("no chat template", chat.render, folder {}, HELLO)
  test.equal(err.kind, "checkpoint")
end)

test("a template has the messages, the special tokens and variables", function()
  local subject = folder { ["chat_template.jinja"] =
    "{{ bos_token }}{{ messages[0].content }}{{ tools is none }}{{ add_generation_prompt }}"
    .. "{{ mood }}" }
  subject.special_tokens = { bos_token = "<s>" }
  test.equal(chat.render(subject, HELLO, { add_generation_prompt = true,
    variables = { mood = "!" } }), "<s>HelloTrueTrue!")
end)

test("an empty conversation is refused", function()
  test.raises("no messages", chat.render, folder { ["chat_template.jinja"] = "x" }, {})
end)

test("a last message that is continued ends the prompt, trimmed or not", function()
  local messages = { { role = "user", content = "Count" },
    { role = "assistant", content = "1 2 " } }
  local body = "{% for m in messages %}<{{ m.content FILTER }}>{% endfor %}"
  local kept = folder { ["chat_template.jinja"] = (body:gsub(" FILTER", "")) }
  local trimmed = folder { ["chat_template.jinja"] = (body:gsub("FILTER", "|trim")) }
  test.equal(chat.render(kept, messages, { continue_final_message = true }), "<Count><1 2 ")
  test.equal(chat.render(trimmed, messages, { continue_final_message = true }), "<Count><1 2")
end)

test("templates that do not parse are named", function()
  local broken = chat.broken(folder { ["chat_template.jinja"] = "{% for" })
  test.equal(#broken, 1)
  test.equal(broken[1].name, "default")
  test.equal(chat.broken(folder { ["chat_template.jinja"] = "{{ messages }}" }), {})
end)

test("an entry without a name is refused", function()
  local subject = folder { ["tokenizer_config.json"] = { chat_template = { { template = "x" } } } }
  test.raises("chat template 1 has no name", chat.render, subject, HELLO)
end)
