-- M25: a small file beside the weights is lost or edited.

local EDITS = {}

local function dropped(name)
  return function(mutant)
    if not mutant.folder:has(name) then return false end
    mutant.folder:drop(name)
  end
end

local function other_id(value)
  if type(value) == "table" then value = value[1] end
  return type(value) == "number" and value + 1 or 0
end

EDITS["generation_config.json lost"] = dropped "generation_config.json"
EDITS["tokenizer.json lost"] = dropped "tokenizer.json"
EDITS["tokenizer_config.json lost"] = dropped "tokenizer_config.json"
EDITS["chat template lost"] = dropped "chat_template.jinja"
EDITS["preprocessor_config.json lost"] = dropped "preprocessor_config.json"

EDITS["another end token"] = function(mutant)
  return mutant:edit_json("generation_config.json", function(config)
    config.eos_token_id = other_id(config.eos_token_id)
  end)
end

EDITS["another pre-tokenizer"] = function(mutant)
  return mutant:edit_json("tokenizer.json", function(tokenizer)
    tokenizer.pre_tokenizer = { type = "ByteLevel", add_prefix_space = true, trim_offsets = true,
      use_regex = false }
  end)
end

EDITS["a merge lost"] = function(mutant)
  return mutant:edit_json("tokenizer.json", function(tokenizer)
    local merges = tokenizer.model and tokenizer.model.merges
    if merges and #merges > 0 then table.remove(merges, mutant.random:below(#merges)) end
  end)
end

local ORDER = { "generation_config.json lost", "another end token", "tokenizer.json lost",
  "another pre-tokenizer", "a merge lost", "tokenizer_config.json lost", "chat template lost",
  "preprocessor_config.json lost" }

return {
  id = "M25",
  name = "sidecar",
  summary = "generation config, tokenizer or template is lost or edited",
  applies = function(subject)
    if subject.gguf then return nil, "a GGUF file has all of this within itself" end
    return true
  end,
  doses = { "once" },
  variants = function()
    local variants = {}
    for i, name in ipairs(ORDER) do variants[i] = { name = name } end
    return variants
  end,
  mutate = function(mutant, _, variant) return EDITS[variant.name](mutant) end,
  equivalent = function(_, variant)
    return variant.name:find("generation_config") and "config.json says the same" or nil
  end,
}
