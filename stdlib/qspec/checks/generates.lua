-- Greedy generations in an accepted set.

local accepted_outputs = require "qspec.accepted_outputs"
local chat = require "qspec.chat"
local conversation = require "qspec.conversation"
local generation = require "qspec.generation"
local json = require "host.json"
local localisation = require "qspec.localisation"
local tolerance = require "qspec.tolerance"
local units = require "qspec.units"

local NOTHING_ACCEPTED = "no accepted text"

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

-- How a margin stands to what noise moves.
local function beside_noise(params, margin, allowed)
  if allowed == 0 then return "" end
  local is_auto = params.tolerance == "auto"
  return (", %.3g times the %s"):format(math.abs(margin) / allowed * (is_auto and params.k or 1),
    is_auto and "noise floor" or "tolerance")
end

-- A miss is a tie when the margin at the first token that differs is within what noise moves.
local function report_miss(ctx, prompt, result, accepted)
  local divergence = generation.divergence(ctx.subject, result, accepted)
  local margin, allowed = divergence.margin, tolerance.of(ctx, "logits")
  local where = ("token %d: %q instead of %q"):format(divergence.position - #result.given_ids,
    tostring(divergence.found), tostring(divergence.wanted))
  if margin and math.abs(margin) < allowed then
    ctx:note(("%q: tie at %s, margin %.4f under %.3g"):format(prompt, where, margin, allowed))
    return
  end
  ctx:finding { key = prompt, found = result.text, wanted = divergence.accepted,
    hint = margin and ("change at %s, margin %.4f%s"):format(where, margin,
      beside_noise(ctx.params, margin, allowed)) or "one text ends early" }
end

-- What a prompt is to the model: with `chat` it is what a user says.
local function prompt_of(ctx, said)
  if not ctx.params.chat then return said end
  local messages = json.array { { role = "user", content = said } }
  return { text = chat.render(ctx.subject, messages, { add_generation_prompt = true }) }
end

-- The prompts that have an accepted text.
local function questions_of(ctx)
  local questions = {}
  for _, said in ipairs(ctx.params) do
    local accepted = accepted_outputs.of(ctx.subject, ctx.params, said)
    if #accepted == 0 then
      ctx:finding { key = said, found = NOTHING_ACCEPTED, wanted = "at least one",
        hint = "qspec accept shows what the model says, and records it" }
    else
      questions[#questions + 1] = { said = said, prompt = prompt_of(ctx, said),
        accepted = accepted }
    end
  end
  return questions
end

local function judge(ctx, question, result)
  local text = conversation.shown(ctx.subject, question.prompt, result)
  if contains(question.accepted, text) then return end
  if not ctx.params.chat then return report_miss(ctx, question.said, result, question.accepted) end
  ctx:finding { key = question.said, found = text, wanted = question.accepted[1],
    hint = "the prompt was made by the chat template" }
end

local function first_miss(findings)
  for _, finding in ipairs(findings) do
    if finding.found ~= NOTHING_ACCEPTED then return finding end
  end
end

-- The tokens of the first prompt that failed: what was given and what should have come of it.
local function evidence(subject, params, findings)
  local miss = first_miss(findings)
  if not miss then return nil end
  local source = subject.tokenizer:encode(miss.key, true)
  if subject.architecture.encoder_decoder then
    return { ids = generation.given_ids(subject, source), source = source }
  end
  local wanted = not params.chat and miss.wanted
  local ids = wanted and subject.tokenizer:encode(wanted, true) or source
  return { ids = localisation.first_tokens(ids) }
end

return {
  name = "generates",
  summary = "greedy text of each prompt is one of the accepted outputs",
  needs = "generate",
  params = tolerance.params_with {
    [1] = { list_of = "string", name = "prompts", required = true, help = "one or more prompts" },
    max_new_tokens = { type = "integer", default = 10, help = "tokens to generate",
      check = function(value) return value < 1 and "must be at least 1" or nil end },
    accepts = { type = "table", check = check_accepts,
      help = "accepted texts, prompt included; or a table from prompt to such a list" },
    chat = { type = "boolean", default = false,
      help = "prompts are what a user says, accepted texts what the model answers" },
    tolerance = { default = "auto", help = "logit margin under which a miss is a tie; \"auto\": "
      .. "k times the noise floor of the model" },
  },
  details = [[
Tokenizes each prompt, generates greedily as transformers' generate(do_sample=False) does under the
model's generation_config, all prompts in one batch, and decodes without special tokens. The text,
prompt included, must be one of those accepted; of an encoder-decoder, which reads the prompt, the
text is its output alone. On a miss the nearest accepted text is taken; the finding names the first
token that differs, both candidates and their margin in logits, before these are rounded to the
model's dtype. Under `tolerance` the miss is called a tie and noted: another device may break it the
other way. Anything larger is a change. "auto" runs the model once more in ways that must not matter
(again, in batches, in another order, token by token, with sums rounded at random, on a GPU also on
the CPU), when the first text is missed, and takes `k` times the largest change of a logit. Texts
that `qspec accept` recorded for this model and device are accepted too. With `chat` the model's
chat template makes a prompt of what a user says, and the answer alone is compared.]],
  example = [[generates { "Hello my name is", max_new_tokens = 1,
  accepts = { "Hello my name is John", "Hello my name is Alina" } }]],
  evidence = evidence,
  run = function(ctx)
    local questions = questions_of(ctx)
    ctx:progress(1, 1, units.count(#questions, "prompt"))
    local prompts = {}
    for i, question in ipairs(questions) do prompts[i] = question.prompt end
    local results = generation.run_all(ctx.subject, prompts, ctx.params.max_new_tokens)
    for i, question in ipairs(questions) do judge(ctx, question, results[i]) end
    ctx:measure("prompts", #ctx.params)
    ctx:headline(units.count(#ctx.params, "prompt"))
  end,
}
