-- RWKV-4: listed, not run.

local NORM = { kind = "layer_norm" }

local function time_mixes(listing, prefix, width, names)
  for _, name in ipairs(names) do
    listing:parameter(prefix .. "time_mix_" .. name, { 1, 1, width })
  end
end

local function attention(listing, prefix, width, inner)
  listing:parameter(prefix .. "time_decay", { inner })
  listing:parameter(prefix .. "time_first", { inner })
  time_mixes(listing, prefix, width, { "key", "value", "receptance" })
  for _, name in ipairs { "key", "value", "receptance" } do
    listing:linear(prefix .. name, width, inner, false)
  end
  listing:linear(prefix .. "output", inner, width, false)
end

local function feed_forward(listing, prefix, width, inner)
  time_mixes(listing, prefix, width, { "key", "receptance" })
  listing:linear(prefix .. "key", width, inner, false)
  listing:linear(prefix .. "receptance", width, width, false)
  listing:linear(prefix .. "value", inner, width, false)
end

local function list(listing, c)
  local width = c.hidden_size
  local function norm(name) listing:norm(name, NORM, { width }) end
  listing:embedding("rwkv.embeddings", c.vocab_size, width)
  for index = 0, c.num_hidden_layers - 1 do
    local block = ("rwkv.blocks.%d."):format(index)
    if index == 0 then norm(block .. "pre_ln") end
    norm(block .. "ln1")
    norm(block .. "ln2")
    attention(listing, block .. "attention.", width, c.attention_hidden_size or width)
    feed_forward(listing, block .. "feed_forward.", width, c.intermediate_size or 4 * width)
  end
  norm "rwkv.ln_out"
  listing:plain_linear("head", width, c.vocab_size, false)
end

return {
  name = "rwkv",
  summary = "RWKV-4 (listed, not run)",
  model_types = { "rwkv" },
  class = "RwkvForCausalLM",
  base_prefix = "rwkv.",
  output = "head",
  tied = { { "head", "rwkv.embeddings" } },
  keep_in_fp32 = { "time_decay", "time_first" },
  keep_in_fp32_strict = {},
  config = {
    required = {}, nullable = { "attention_hidden_size", "intermediate_size" },
    defaults = { vocab_size = 50277, hidden_size = 4096, num_hidden_layers = 32,
      tie_word_embeddings = false },
    types = { vocab_size = "count", hidden_size = "count", num_hidden_layers = "count",
      attention_hidden_size = "count", intermediate_size = "count",
      tie_word_embeddings = "boolean" },
  },
  outline = function(c)
    return { layers = c.num_hidden_layers, refusal = "layers of linear attention with a decay",
      list = function(listing) list(listing, c) end }
  end,
}
