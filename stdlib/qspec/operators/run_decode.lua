-- R4: tokens one by one through the cache, against all at once.

local playing = require "qspec.mutation.playing"

local NEW = 8
local LENGTHS = { 1, 8, 128, 512 }  -- where engines switch from one kernel to another

local function variants(subject)
  local list, longest = {}, playing.longest(subject)
  for _, length in ipairs(LENGTHS) do
    if length + NEW <= longest then
      list[#list + 1] = { name = ("after %d tokens"):format(length), length = length }
    end
  end
  return list
end

-- The logits behind each of the last tokens, all given at once.
local function behind(runtime, ids, count)
  local logits = runtime:forward(ids):select(1, 1)
  return logits:narrow(1, #ids - count, count)
end

-- A greedy choice that is neither the best of the other logits nor as good, but for rounding.
local function difference(subject, length)
  local given = playing.probe(subject, length)
  local made = subject.runtime:generate(given, { max_new_tokens = NEW })
  local logits = behind(subject.runtime, made.ids, NEW)
  for i, step in ipairs(made.steps) do
    local row = logits:select(1, i):to("float32")
    local slack = playing.slack(subject.dtype) * math.max(1, math.abs(step.logit))
    local chosen = row:select(1, step.token + 1):item()
    if row:max() - chosen > slack or math.abs(chosen - step.logit) > slack then
      return ("new token %d after %d has the logit %g by itself and %g among all"):format(i, length,
        step.logit, chosen)
    end
  end
end

return {
  id = "R4",
  name = "run_decode",
  summary = "tokens made one by one are those of all at once, short and long",
  details = [[
No fault of files: past a length an engine takes another kernel, and its cache is wrong there. Eight
tokens are generated after 1, 8, 128 and 512, each from the cache of those before; all of them given
at once must have the same logits, but for what rounding leaves.]],
  applies = function(subject)
    if subject.architecture.encoder_decoder then return nil, "it has an encoder" end
    if not subject.architecture.decoder then return nil, "the engine does not run this model" end
    return true
  end,
  doses = { "once" },
  variants = variants,
  play = function(subject, _, variant)
    return difference(subject, variant.length), "the same logits one by one as all at once"
  end,
}
