-- Greedy generations in an accepted set.

local generation = require "qspec.generation"
local units = require "qspec.units"

local function accepted_for(params, prompt)
  local accepts = params.accepts
  if not accepts then return nil end
  if #accepts > 0 then return accepts end
  return accepts[prompt]
end

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

-- A miss is a tie when the engine itself was undecided at the first token that differs.
local function report_miss(ctx, prompt, result, accepted)
  local divergence = generation.divergence(ctx.subject, result, accepted)
  local margin = divergence.margin
  local where = ("token %d: %q instead of %q"):format(divergence.position - #result.input_ids,
    tostring(divergence.found), tostring(divergence.wanted))
  if margin and math.abs(margin) < ctx.params.tie then
    ctx:note(("%q: tie at %s, margin %.4f under %g"):format(prompt, where, margin, ctx.params.tie))
    return
  end
  ctx:finding { key = prompt, found = result.text, wanted = divergence.accepted,
    hint = margin and ("change at %s, margin %.4f"):format(where, margin) or "one text ends early" }
end

return {
  name = "generates",
  summary = "greedy text of each prompt is one of the accepted outputs",
  needs = "generate",
  params = {
    [1] = { list_of = "string", name = "prompts", required = true, help = "one or more prompts" },
    max_new_tokens = { type = "integer", default = 10, help = "tokens to generate",
      check = function(value) return value < 1 and "must be at least 1" or nil end },
    accepts = { type = "table", required = true, check = check_accepts,
      help = "accepted texts, prompt included; or a table from prompt to such a list" },
    tie = { type = "number", default = 0.05, help = "logit margin under which a miss is a tie" },
  },
  details = [[
Tokenizes each prompt, generates greedily as transformers' generate(do_sample=False) does under the
model's generation_config, all prompts in one batch, and decodes without special tokens. The text,
prompt included, must be one of those accepted. On a miss the nearest accepted text is taken; the
finding names the first token that differs, both candidates and their margin in logits, before these
are rounded to the model's dtype. Under `tie` the miss is called a tie and noted: another device may
break it the other way. Anything larger is a change.]],
  example = [[generates { "Hello my name is", max_new_tokens = 1,
  accepts = { "Hello my name is John", "Hello my name is Alina" } }]],
  run = function(ctx)
    local prompts, known = { unpack(ctx.params) }, {}
    for _, prompt in ipairs(prompts) do
      known[#known + 1] = accepted_for(ctx.params, prompt) and prompt
    end
    ctx:progress(1, 1, units.count(#known, "prompt"))
    local results = generation.run_all(ctx.subject, known, ctx.params.max_new_tokens)
    local by_prompt = {}
    for i, prompt in ipairs(known) do by_prompt[prompt] = results[i] end
    for _, prompt in ipairs(prompts) do
      local accepted, result = accepted_for(ctx.params, prompt), by_prompt[prompt]
      if not accepted then
        ctx:finding { key = prompt, found = "no accepted text", wanted = "at least one" }
      elseif not contains(accepted, result.text) then
        report_miss(ctx, prompt, result, accepted)
      end
    end
    ctx:measure("prompts", #prompts)
    ctx:headline(units.count(#prompts, "prompt"))
  end,
}
