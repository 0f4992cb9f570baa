-- The values of a predicate's measures, of one model against the baseline's weights.

local divergence = require "qspec.divergence"
local generation = require "qspec.generation"

local M = {}

-- Of a text -------------------------------------------------------------------------------------

local SCORED = { "nll", "baseline_nll", "kl", "same_top" }

local function append(list, tensor)
  for _, value in ipairs(tensor:tolist(tensor:numel())) do list[#list + 1] = value end
end

local function scored_windows(model, baseline, windows)
  local scored = {}
  for _, name in ipairs(SCORED) do scored[name] = {} end
  for _, ids in ipairs(windows) do
    local found = model:compare(baseline, ids)
    for _, name in ipairs(SCORED) do append(scored[name], found[name]) end
  end
  return scored
end

local function has_nan(list)
  for _, value in ipairs(list) do
    if value ~= value then return true end
  end
  return false
end

local TEXT = { ["kl.mean"] = function(s) return s.kld.mean end,
  ["kl.median"] = function(s) return s.kld.median end,
  ["kl.p90"] = function(s) return s.kld.percentiles["90"] end,
  ["kl.p99"] = function(s) return s.kld.percentiles["99"] end,
  ["kl.p999"] = function(s) return s.kld.percentiles["99.9"] end,
  ["kl.max"] = function(s) return s.kld.maximum end,
  same_top = function(s) return s.same_top_p.value end,
  perplexity = function(s) return s.perplexity end,
  perplexity_ratio = function(s) return s.ppl_ratio.value end }

--- Values of the measures of a text by name. Logits that are not finite make all of them NaN: there
--- is no order in which they could be sorted.
---@param model any qspec.Model
---@param baseline any qspec.Model
---@param windows integer[][]
---@return table<string, number>
function M.of_text(model, baseline, windows)
  local scored = scored_windows(model, baseline, windows)
  local is_sound = not (has_nan(scored.kl) or has_nan(scored.nll))
  local statistics, values = is_sound and divergence.statistics(scored), {}
  for name, of in pairs(TEXT) do values[name] = is_sound and of(statistics) or 0 / 0 end
  return values
end

-- Of prompts --------------------------------------------------------------------------------------

--- What a subject continues prompts with, greedily.
---@return integer[][] the new tokens of each
function M.continuations(subject, prompts, max_new_tokens)
  local lists = {}
  for i, result in ipairs(generation.run_all(subject, prompts, max_new_tokens)) do
    lists[i] = { unpack(result.output_ids, #result.given_ids + 1) }
  end
  return lists
end

local function equal(a, b)
  if #a ~= #b then return false end
  for i, token in ipairs(a) do
    if token ~= b[i] then return false end
  end
  return true
end

--- Facts of prompts by name.
---@param found integer[][] of the model
---@param wanted integer[][] of the baseline
---@return table<string, boolean>
function M.of_prompts(found, wanted)
  local values = { tokens_equal = true, first_token_changed = false }
  for i, tokens in ipairs(wanted) do
    values.tokens_equal = values.tokens_equal and equal(found[i], tokens)
    values.first_token_changed = values.first_token_changed or found[i][1] ~= tokens[1]
  end
  return values
end

return M
