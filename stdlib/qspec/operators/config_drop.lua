-- M19: the quantization_config is lost, out of sight, or left over.

local dense = require "qspec.mutation.dense"

local EDITS = {}

EDITS["deleted"] = function(mutant) mutant:drop_quantization() end

-- In a part of the config where no library looks.
EDITS["nested away"] = function(mutant)
  mutant:edit_config(function(config)
    config.text_config = { quantization_config = config.quantization_config }
    config.quantization_config = nil
  end)
end

EDITS["stale on dense tensors"] = function(mutant)
  dense.replace(mutant, mutant:packed(), dense.own_dtype(mutant.genuine))
end

local ORDER = { "deleted", "nested away", "stale on dense tensors" }

return {
  id = "M19",
  name = "config_drop",
  summary = "the quantization_config is deleted, hidden, or left over on dense tensors",
  applies = function(subject)
    if subject.raw.quantization_config and dense.applies(subject) then return true end
    return nil, "no quantization_config in config.json"
  end,
  doses = { "once" },
  variants = function()
    local variants = {}
    for i, name in ipairs(ORDER) do variants[i] = { name = name } end
    return variants
  end,
  mutate = function(mutant, _, variant) EDITS[variant.name](mutant) end,
}
