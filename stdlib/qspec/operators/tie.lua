-- M21: what the config ties and what the file holds disagree.

local excluded = require "qspec.mutation.excluded_rows"
local packer = require "qspec.mutation.packer"

local function head_and_embedding(subject)
  local census, head = subject.census, nil
  for _, row in ipairs(census.modules) do
    if row.tied_to then head = row end
  end
  return head, head and census.by_name[head.tied_to]
end

local EDITS = {}

EDITS["an independent packed head"] = function(mutant)
  local head = head_and_embedding(mutant.genuine)
  if not packer.can_pack(mutant.genuine) then return false end
  packer.pack(mutant, head.module, excluded.weight(mutant.genuine, head))
end

EDITS["an independent dense head"] = function(mutant)
  local head = head_and_embedding(mutant.genuine)
  mutant:store(head.name .. ".weight", excluded.weight(mutant.genuine, head) * 1.5)
end

EDITS["an equal head stored twice"] = function(mutant)
  local head = head_and_embedding(mutant.genuine)
  mutant:store(head.name .. ".weight", excluded.weight(mutant.genuine, head))
end

EDITS["flag false and no head"] = function(mutant)
  mutant:edit_config(function(config) config.tie_word_embeddings = false end)
end

EDITS["only the embedding packed"] = function(mutant)
  local head, embedding = head_and_embedding(mutant.genuine)
  if not packer.can_pack(mutant.genuine) then return false end
  local weight = excluded.weight(mutant.genuine, embedding)
  mutant:drop(embedding.holding.tensors.weight.name)
  packer.pack(mutant, embedding.module, weight)
  mutant:store(head.name .. ".weight", weight)
end

local ORDER = { "an independent packed head", "an independent dense head",
  "an equal head stored twice", "flag false and no head", "only the embedding packed" }

return {
  id = "M21",
  name = "tie",
  summary = "the tie of head and embeddings in the config is not that of the tensors",
  details = [[
Where the config ties them: a head of its own, packed or with other values; an equal one stored
twice, which is the same model; the flag false with no head in the file; only the embedding
packed.]],
  applies = function(subject)
    if subject.gguf then return nil, "a GGUF file has no config.json" end
    local head, embedding = head_and_embedding(subject)
    if head and embedding and embedding.holding.tensors.weight and not head.own_tensors then
      return true
    end
    return nil, "no output head is tied to the embeddings"
  end,
  doses = { "once" },
  variants = function()
    local variants = {}
    for i, name in ipairs(ORDER) do variants[i] = { name = name } end
    return variants
  end,
  mutate = function(mutant, _, variant) return EDITS[variant.name](mutant) end,
  equivalent = function(_, variant)
    return variant.name:find("equal") and "two equal tensors are one when they are tied" or nil
  end,
}
