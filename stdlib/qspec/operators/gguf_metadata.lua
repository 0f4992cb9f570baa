-- G03: a key of a GGUF file's metadata says something else, or is gone.

-- Ends of the keys that the arithmetic, the tokens and the format hang on.
local NUMBERS = { "block_count", "embedding_length", "feed_forward_length", "attention.head_count",
  "attention.head_count_kv", "attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon",
  "rope.freq_base", "rope.dimension_count", "general.file_type", "tokenizer.ggml.bos_token_id",
  "tokenizer.ggml.eos_token_id" }
local TEXTS = { ["tokenizer.ggml.pre"] = "default", ["tokenizer.ggml.model"] = "llama",
  ["general.architecture"] = "llama" }
local FLAGS = { "tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_space_prefix" }
local GONE = { "general.architecture", "tokenizer.ggml.tokens", "tokenizer.ggml.merges",
  "tokenizer.ggml.eos_token_id", "tokenizer.chat_template" }

local function other_number(value)
  if value == 0 then return 1 end
  return value < 1 and value * 1000 or value % 2 == 0 and value / 2 or value + 1
end

local function keys_ending(subject, ends)
  local found = {}
  for _, key in ipairs(subject.stored:metadata_keys()) do
    for _, ending in ipairs(ends) do
      if key:sub(-#ending) == ending then found[#found + 1] = key end
    end
  end
  return found
end

local function variants(subject)
  local list = {}
  local function add(key, value, what)
    list[#list + 1] = { name = key .. (what or ""), key = key, value = value }
  end
  for _, key in ipairs(keys_ending(subject, NUMBERS)) do
    add(key, other_number((subject.stored:metadata(key))))
  end
  for _, key in ipairs(keys_ending(subject, FLAGS)) do
    add(key, not subject.stored:metadata(key))
  end
  for key, value in pairs(TEXTS) do
    local found = subject.stored:metadata(key)
    if found and found ~= value then add(key, value) end
  end
  for _, key in ipairs(keys_ending(subject, GONE)) do add(key, nil, " gone") end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

return {
  id = "G03",
  name = "gguf_metadata",
  summary = "a key of a GGUF file's metadata has another value, or is gone",
  details = [[
Sizes, heads, epsilons, rotary base, file type, special tokens, the kind of tokenizer and of
pre-tokenizer, each changed by itself; and the keys without which the file is no model, or has no
words, taken away.]],
  applies = function(subject)
    if subject.gguf then return true end
    return nil, "the checkpoint is no GGUF file"
  end,
  doses = { "once" },
  variants = variants,
  mutate = function(mutant, _, variant)
    mutant:set_metadata(variant.key, variant.value)
  end,
  equivalent = function(_, variant)
    if variant.key:find("^tokenizer%.") then return nil end  -- no logit shows what is read or said
    return "nothing that is computed hangs on this key in this file"
  end,
}
