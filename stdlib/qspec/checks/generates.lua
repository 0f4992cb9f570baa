-- Greedy generations in an accepted set.

local accepted_outputs = require "qspec.accepted_outputs"
local chat = require "qspec.chat"
local conversation = require "qspec.conversation"
local generation = require "qspec.generation"
local json = require "host.json"
local units = require "qspec.units"

local function contains(list, text)
  for _, candidate in ipairs(list) do
    if candidate == text then return true end
  end
  return false
end

local function check_accepts(value)
  for key, entry in pairs(value) do
    if type(entry) ~= "string" and type(entry) ~= "table" then
      return "must be a list of texts, or a table from prompt to list"
    elseif type(key) == "number" and type(entry) ~= "string" then
      return "must hold texts"
    end
  end
end

-- What a user says and the model answers.
local function check_answer(ctx, said, accepted)
  local messages = json.array { { role = "user", content = said } }
  local prompt = { text = chat.render(ctx.subject, messages, { add_generation_prompt = true }) }
  local result = generation.run(ctx.subject, prompt, ctx.params.max_new_tokens)
  local answer = conversation.shown(ctx.subject, prompt, result)
  if contains(accepted, answer) then return end
  ctx:finding { key = said, found = answer, wanted = accepted[1],
    hint = "the prompt was made by the chat template" }
end

-- A miss is a tie when the engine itself was undecided at the first token that differs.
local function report_miss(ctx, prompt, result, accepted)
  local divergence = generation.divergence(ctx.subject, result, accepted)
  local margin = divergence.margin
  local where = ("token %d: %q instead of %q"):format(divergence.position - #result.given_ids,
    tostring(divergence.found), tostring(divergence.wanted))
  if margin and math.abs(margin) < ctx.params.tie then
    ctx:note(("%q: tie at %s, margin %.4f under %g"):format(prompt, where, margin, ctx.params.tie))
    return
  end
  ctx:finding { key = prompt, found = result.text, wanted = divergence.accepted,
    hint = margin and ("change at %s, margin %.4f"):format(where, margin) or "one text ends early" }
end

local function check_text(ctx, prompt, accepted)
  local result = generation.run(ctx.subject, prompt, ctx.params.max_new_tokens)
  if not contains(accepted, result.text) then report_miss(ctx, prompt, result, accepted) end
end

return {
  name = "generates",
  summary = "greedy text of each prompt is one of the accepted outputs",
  needs = "generate",
  params = {
    [1] = { list_of = "string", name = "prompts", required = true, help = "one or more prompts" },
    max_new_tokens = { type = "integer", default = 10, help = "tokens to generate",
      check = function(value) return value < 1 and "must be at least 1" or nil end },
    accepts = { type = "table", check = check_accepts,
      help = "accepted texts, prompt included; or a table from prompt to such a list" },
    chat = { type = "boolean", default = false,
      help = "prompts are what a user says, accepted texts what the model answers" },
    tie = { type = "number", default = 0.05, help = "logit margin under which a miss is a tie" },
  },
  details = [[
Tokenizes each prompt, generates greedily as transformers' generate(do_sample=False) does under the
model's generation_config, and decodes without special tokens. The text, prompt included, must be
one of those accepted; of an encoder-decoder, which reads the prompt, the text is its output alone.
On a miss the nearest accepted text is taken; the finding names the first
token that differs, both candidates and their margin in logits. Under `tie` the miss is called a
tie and noted: another device may break it the other way. Anything larger is a change. Texts that
`qspec accept` recorded for this model and device are accepted too. With `chat` the model's chat
template makes a prompt of what a user says, and the answer alone is compared.]],
  example = [[generates { "Hello my name is", max_new_tokens = 1,
  accepts = { "Hello my name is John", "Hello my name is Alina" } }]],
  run = function(ctx)
    local prompts = ctx.params
    for i, prompt in ipairs(prompts) do
      ctx:progress(i, #prompts, prompt)
      local accepted = accepted_outputs.of(ctx.subject, ctx.params, prompt)
      if #accepted == 0 then
        ctx:finding { key = prompt, found = "no accepted text", wanted = "at least one",
          hint = "qspec accept shows what the model says, and records it" }
      else
        local check = ctx.params.chat and check_answer or check_text
        check(ctx, prompt, accepted)
      end
    end
    ctx:measure("prompts", #prompts)
    ctx:headline(units.count(#prompts, "prompt"))
  end,
}
