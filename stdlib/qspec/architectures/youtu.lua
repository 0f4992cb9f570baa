-- Youtu-LLM: latent attention, a plain gated MLP. Of a config with a pad_token_id, transformers
-- 5.17 makes the embedding of that token zero on load, whatever the file holds; here it stays.

local latent_like = require "qspec.decoder.latent_like"
local llama_like = require "qspec.decoder.llama_like"

local types = { rope_interleave = "boolean" }
for key, value in pairs(latent_like.types) do types[key] = value end

return llama_like.architecture("Youtu", {
  name = "youtu",
  summary = "Youtu-LLM",
  model_types = { "youtu" },
  config = llama_like.config {
    defaults = { vocab_size = 128256, hidden_size = 2048, intermediate_size = 6144,
      num_hidden_layers = 32, num_attention_heads = 16, max_position_embeddings = 131072,
      q_lora_rank = 1536, kv_lora_rank = 512, qk_rope_head_dim = 64, qk_nope_head_dim = 128,
      v_head_dim = 128, rope_interleave = true, tie_word_embeddings = true },
    types = types,
    nullable = { "q_lora_rank" },
  },
  decoder = function(c)
    return latent_like.decoder(c, "Youtu",
      { style = c.rope_interleave and "neighbours_to_halves" or "halves" })
  end,
})
