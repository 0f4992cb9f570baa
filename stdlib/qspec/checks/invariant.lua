-- One model, run in ways that must not matter.

local invariance = require "qspec.invariance"
local probes = require "qspec.probes"
local units = require "qspec.units"

local MOST_IN_BATCH = 32

local function check_sizes(sizes)
  for _, size in ipairs(sizes) do
    if size < 1 or size > MOST_IN_BATCH then return ("must be of 1 to %d"):format(MOST_IN_BATCH) end
  end
end

local function check_tolerance(value)
  if type(value) == "string" then
    return value ~= "auto" and "must be a number of logits or \"auto\"" or nil
  end
  return value < 0 and "must not be negative" or nil
end

local function at_least_one(value)
  return value < 1 and "must be at least 1" or nil
end

-- Those of the spec first; others fill the largest batch.
local function prompts_of(params)
  local prompts, wanted = {}, 2
  for i, text in ipairs(params) do prompts[i] = text end
  for _, size in ipairs(params.batch) do wanted = math.max(wanted, size) end
  for i = 1, wanted - #prompts do prompts[#prompts + 1] = probes[(i - 1) % #probes + 1] end
  return prompts
end

local function ways_of(subject, alone, params)
  local ways = {}
  for _, size in ipairs(params.batch) do
    ways[#ways + 1] = function() return invariance.in_batches(subject, alone, size) end
  end
  if params.order then
    ways[#ways + 1] = function() return invariance.reordered(subject, alone) end
  end
  if params.prefill_steps then
    ways[#ways + 1] = function() return invariance.token_by_token(subject, alone) end
  end
  return ways
end

-- The largest change that is still noise, and where the number comes from.
local function bound_of(ctx, alone)
  local params = ctx.params
  if params.tolerance ~= "auto" then return params.tolerance, ("%g"):format(params.tolerance) end
  local rounding = invariance.rounding(ctx.subject, alone)
  ctx:measure("rounding", rounding)
  return params.k * rounding, ("%.3g, %g times what rounding changes (%.2g)"):format(
    params.k * rounding, params.k, rounding)
end

local function report_logits(ctx, alone, way, bound, said)
  local change = way.difference
  ctx:measure(way.name:gsub(" ", "_"), change.logits)
  if change.logits <= bound then return end
  local at, tokenizer = change.at, ctx.subject.tokenizer
  ctx:finding { key = way.name, found = ("a logit moves by %.4g"):format(change.logits),
    wanted = "<= " .. said, hint = ("that of %q behind token %d of %q"):format(
      tokenizer:decode({ at.token }, false), at.position, alone.prompts[at.sequence]) }
end

local function report_token(ctx, way, change, bound, said)
  local where = ("token %d: %q instead of %q"):format(change.step, tostring(change.found),
    tostring(change.wanted))
  local margin = change.margin and math.abs(change.margin)
  if margin and margin <= bound then
    return ctx:note(("%s, %q: tie at %s, margin %.4g within %s"):format(way.name, change.prompt,
      where, margin, said))
  end
  ctx:finding { key = change.prompt, found = where .. ", " .. way.name,
    wanted = "the same token as alone", hint = margin
    and ("change, margin %.4g; a tie is within %s"):format(margin, said) or "one text ends early" }
end

return {
  name = "invariant",
  summary = "the same weights give the same tokens in any batch, any order and token by token",
  needs = "generate",
  params = {
    [1] = { list_of = "string", name = "prompts",
      help = "prompts; texts of its own fill the largest batch" },
    batch = { list_of = "integer", default = { 1, 2, 8 }, check = check_sizes,
      help = "sizes of batches; 1 is the same run once more" },
    order = { type = "boolean", default = true, help = "all prompts in one batch, the last first" },
    prefill_steps = { type = "boolean", default = true,
      help = "token by token with a cache against one prefill" },
    max_new_tokens = { type = "integer", default = 8, check = at_least_one,
      help = "tokens to generate" },
    tolerance = { type = { "number", "string" }, default = "auto", check = check_tolerance,
      help = "largest change of a logit; \"auto\": k times what rounding changes" },
    k = { type = "number", default = 4, check = at_least_one,
      help = "how many times the change by rounding \"auto\" is" },
  },
  details = [[
Generates behind each prompt alone, and then again in batches of each size, with the prompts in
another order, and, of the whole text, token by token with a cache against one prefill. The tokens
must be the same, and no logit may move by more than `tolerance`. Sums in another order are rounded
in another way, so a little is allowed: "auto" runs each prompt once more with every product of
matrices rounded at random to the next number up or down, as other orders of sums do to a few of
them, and takes `k` times the largest change. It does not look at the batches, so a fault of theirs
cannot excuse itself. A token that changes with a margin inside the tolerance is a tie, and noted;
any other is a finding. Where activations are quantized by what the whole batch holds, as LLM.int8()
finds its outliers, a model is less invariant than its weights, and the check says by how much.]],
  example = "invariant { batch = { 1, 2, 8 }, order = true, prefill_steps = true }",
  run = function(ctx)
    local prompts = prompts_of(ctx.params)
    local alone = invariance.alone(ctx.subject, prompts, ctx.params.max_new_tokens)
    local bound, said = bound_of(ctx, alone)
    local ways, largest = ways_of(ctx.subject, alone, ctx.params), 0
    for i, run in ipairs(ways) do
      local way = run()
      ctx:progress(i, #ways, way.name)
      report_logits(ctx, alone, way, bound, said)
      for _, change in ipairs(invariance.changes(ctx.subject, alone, way)) do
        report_token(ctx, way, change, bound, said)
      end
      largest = math.max(largest, way.difference.logits)
    end
    ctx:headline(("%s, %s, largest change %.2g of %.2g"):format(units.count(#prompts, "prompt"),
      units.count(#ways, "way"), largest, bound))
  end,
}
