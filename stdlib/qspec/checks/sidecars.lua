-- The small files beside the weights: where a text ends, how it becomes tokens, the template.

local difference = require "qspec.difference"
local json = require "host.json"

local function say(ctx, key, found, wanted, hint)
  ctx:finding { key = key, found = found, wanted = wanted, hint = hint }
end

-- Who wrote the file; and what libraries fill in when they load it.
local IS_NOTE = { transformers_version = true, _from_model_config = true, pad_token_id = true,
  max_length = true, max_new_tokens = true }

local function text_of(value)
  if value == nil or value == json.null then return "none" end
  return type(value) == "table" and json.encode(value) or tostring(value)
end

local function check_special(ctx, baseline)
  local here, there = ctx.subject.generation_config, baseline.generation_config
  local keys = json.keys(there)
  table.sort(keys)
  for _, key in ipairs(keys) do
    if not IS_NOTE[key] and text_of(here[key]) ~= text_of(there[key]) then
      say(ctx, key, text_of(here[key]), text_of(there[key]) .. ", as in the baseline",
        key:find("token") and "generations end elsewhere, or never" or "generates otherwise")
    end
  end
end

-- Ids that no token can have, whatever the baseline.
local function check_range(ctx)
  local size, eos = ctx.subject.config.vocab_size, ctx.subject.generation_config.eos_token_id
  for _, id in ipairs(type(eos) == "table" and eos or { eos }) do
    if type(id) == "number" and type(size) == "number" and (id < 0 or id >= size) then
      say(ctx, "eos_token_id", tostring(id), ("less than vocab_size, %d"):format(size),
        "no generation ever ends")
    end
  end
end

-- Files that change what a model reads and writes; others come and go with library versions.
local NEEDED = { ["tokenizer.json"] = true, ["tokenizer_config.json"] = true,
  ["chat_template.jinja"] = true, ["preprocessor_config.json"] = true,
  ["processor_config.json"] = true, ["video_preprocessor_config.json"] = true }

local function check_presence(ctx, baseline)
  for _, name in ipairs(baseline.folder:list()) do
    local is_needed = NEEDED[name] or name:find("%.py$") or name:find("^chat_template%.")
    if is_needed and not ctx.subject:has_file(name) then
      say(ctx, name, "missing", "the file of the baseline",
        "the model cannot be used as its baseline is")
    end
  end
end

-- What libraries write anew without changing a token.
local HARMLESS = { "^version$", "^truncation", "^padding", "^tokenizer_config%.json: " }
-- But for what adds tokens or replaces them.
local HARMFUL = { "add_bos_token$", "add_eos_token$", "eos_token$", "bos_token$",
  "add_prefix_space$" }

-- Libraries write nothing in several ways.
local EMPTY = { [""] = true, null = true, ["false"] = true, ["[]"] = true }

local function is_empty(text)
  return text == nil or EMPTY[text] == true
end

local function any(patterns, text)
  for _, pattern in ipairs(patterns) do
    if text:find(pattern) then return true end
  end
  return false
end

local function check_tokenizer(ctx, baseline)
  if not (ctx.subject:has_file("tokenizer.json") and baseline:has_file("tokenizer.json")) then
    return
  end
  for _, one in ipairs(difference.of_tokenizer(ctx.subject, baseline)) do
    local matters = any(HARMFUL, one.key) or not any(HARMLESS, one.key)
    if matters and not (is_empty(one.first) and is_empty(one.second)) then
      say(ctx, one.key, one.first or "absent", (one.second or "absent") .. ", as in the baseline",
        "the same text becomes other tokens")
    end
  end
end

local function check_template(ctx, baseline)
  for _, one in ipairs(difference.of_template(ctx.subject, baseline)) do
    say(ctx, one.key, one.first or "absent", (one.second or "absent") .. ", as in the baseline",
      "chats are written otherwise than the model was trained for")
  end
end

-- A GGUF file has all of this within itself.
local function check_gguf(ctx, baseline)
  if not baseline or baseline.gguf or not baseline.path then return end
  for _, one in ipairs(require("qspec.gguf.words").differences(ctx.subject, baseline)) do
    say(ctx, one.key, one.found, one.wanted,
      "the same text becomes other tokens, or ends elsewhere")
  end
  check_template(ctx, baseline)
end

return {
  name = "sidecars",
  summary = "tokenizer, template and the tokens that end a text are those of the baseline",
  needs = "header",
  params = {},
  details = [[
Weights that are right still speak wrongly with another tokenizer, template or end token. Against
the baseline: what its generation_config.json (or config.json without one) says of the tokens that
begin and end a text and of sampling, tokenizer.json by what it means, the chat template, and
whether every file that the model needs (tokenizer, template, preprocessor, code) came along. Keys
that libraries write anew without changing a token are left out. Of a GGUF file, which has all of
this within itself, the special tokens, the chat template and what a few texts become. Without a
baseline only ids beyond the vocabulary are findings.]],
  example = [[sidecars {}]],
  run = function(ctx)
    local baseline = ctx.subject.baseline
    if not ctx.subject.path then ctx:skip("there is no folder to look into") end
    check_range(ctx)
    if ctx.subject.gguf then return check_gguf(ctx, baseline) end
    if not baseline or baseline.gguf or not baseline.path then return end
    check_special(ctx, baseline)
    check_presence(ctx, baseline)
    check_tokenizer(ctx, baseline)
    check_template(ctx, baseline)
  end,
}
