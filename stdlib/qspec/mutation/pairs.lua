-- Two operators at once: real checkpoints were broken twice, and one fault may hide another.

local random = require "qspec.mutation.random"
local Mutant = require "qspec.mutation.mutant"

local M = {}

-- Small files that the logits and generations follow from, or that only place tensors.
local SEEN_BY_OUTPUT = { ["config.json"] = true, ["generation_config.json"] = true,
  ["model.safetensors.index.json"] = true }

-- The stand-in for the operator of a pair.
local BOTH = { id = "pair", name = "pair", doses = { "once" },
  equivalent = function(mutant)
    for name in pairs(mutant.folder.changed) do
      if not SEEN_BY_OUTPUT[name] then return nil end
    end
    return "the two together leave every logit as it was"
  end }

--- The plan of one pair.
---@param first table plan
---@param second table plan, of what the first one left
function M.of(first, second)
  local name = first.name .. " + " .. second.name
  return { operator = BOTH, variant = { name = name }, dose = "once", name = name,
    parts = { first, second } }
end

--- A sample of all pairs of two mutants of different operators, in either order.
---@param plans table[] of survey.plan
---@param count integer
---@param seed integer
---@return table[] plans at most `count`, none twice
function M.plan(plans, count, seed)
  local choice, chosen, seen = random.of("pairs " .. seed), {}, {}
  for _ = 1, #plans > 1 and count * 20 or 0 do
    local first, second = choice:pick(plans), choice:pick(plans)
    local plan = M.of(first, second)
    local are_faults = first.operator.mutate and second.operator.mutate
    local is_new = first.operator ~= second.operator and not seen[plan.name]
    if are_faults and is_new and #chosen < count then
      seen[plan.name], chosen[#chosen + 1] = true, plan
    end
  end
  return chosen
end

local function joined(a, b)
  local all = {}
  for key, value in pairs(a) do all[key] = value end
  for key, value in pairs(b) do all[key] = value end
  return all
end

-- The second fault on what the first one left, seen as `genuine`; nil when it cannot be made.
local function second_of(first, plan, genuine)
  local part, mutant = plan.parts[2], Mutant.new(genuine, plan.name)
  mutant.stored, mutant.folder = first.stored:overlay(), first.folder:overlay()
  local ok, made = pcall(function()
    return part.operator.applies(genuine) and part.operator.mutate(mutant, part.dose, part.variant)
      ~= false
  end)
  return ok and made and mutant or nil
end

--- Breaks what the first mutant already broke: as it is now, or, where the first fault has left
--- nothing that an operator could read, as it was.
---@param first qspec.Mutant
---@param plan table of a pair
---@return qspec.Mutant|nil nil when the second cannot be made of the first
function M.make(first, plan)
  local mutant = second_of(first, plan, first:subject())
    or second_of(first, plan, first.genuine)
  if not mutant then return nil end
  mutant.genuine = first.genuine
  mutant.touched = joined(first.touched, mutant.touched)
  mutant.placed = joined(first.placed, mutant.placed)
  mutant.metadata = joined(first.metadata, mutant.metadata)
  return mutant
end

return M
