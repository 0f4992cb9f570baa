-- MiniCPM3: latent attention in every layer, scaled embeddings, branches and last hidden states.

local latent_like = require "qspec.decoder.latent_like"
local llama_like = require "qspec.decoder.llama_like"

local types = { scale_emb = "number", scale_depth = "number", dim_model_base = "count" }
for key, value in pairs(latent_like.types) do types[key] = value end

return llama_like.architecture("MiniCPM3", {
  name = "minicpm3",
  summary = "MiniCPM3",
  model_types = { "minicpm3" },
  config = llama_like.config {
    defaults = { vocab_size = 73448, hidden_size = 2560, intermediate_size = 6400,
      num_hidden_layers = 62, num_attention_heads = 40, max_position_embeddings = 32768,
      rms_norm_eps = 1e-5, q_lora_rank = 768, kv_lora_rank = 256, qk_rope_head_dim = 32,
      qk_nope_head_dim = 64, v_head_dim = 64, scale_emb = 12, scale_depth = 1.4,
      dim_model_base = 256, tie_word_embeddings = true },
    types = types,
    nullable = { "q_lora_rank" },
  },
  decoder = function(c)
    local described = latent_like.decoder(c, "MiniCPM3", { style = "halves" })
    local embed = described.embed
    embed.class, embed.scale, embed.scale_rounded = "MiniCPM3ScaledWordEmbedding", c.scale_emb,
      true
    -- A whole number stays one: the buffer is then of 8 bytes.
    embed.buffers = { { name = "embed_scale", shape = {},
      dtype = c.scale_emb % 1 == 0 and "int64" or llama_like.load_dtype(c) } }
    described.block.residual_scale = c.scale_depth / math.sqrt(c.num_hidden_layers)
    described.head.hidden_divide = c.hidden_size / c.dim_model_base
    return described
  end,
})
