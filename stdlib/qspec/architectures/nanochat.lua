-- nanochat: norms without parameters, one of them on the embeddings, positions that turn the other
-- way, and logits kept within a cap.

local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

return llama_like.architecture("NanoChat", {
  name = "nanochat",
  summary = "nanochat",
  model_types = { "nanochat" },
  config = llama_like.config {
    defaults = { vocab_size = 50304, hidden_size = 768, intermediate_size = 8192,
      num_hidden_layers = 12, num_attention_heads = 6, num_key_value_heads = 6,
      hidden_act = "relu2", final_logit_softcapping = 15 },
    types = { final_logit_softcapping = "number" },
    nullable = { "final_logit_softcapping" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "NanoChat", { rope = rope.read(c,
      { head_width = llama_like.head_width(c), style = "halves_back" }) })
    described.norm = { kind = "rms_norm_bare", eps = c.rms_norm_eps }
    described.embed.norm = "model.norm"
    described.attention.norm = llama_like.head_norm(described)
    described.attention.norm.after_rope = true
    described.mlp = llama_like.plain_mlp(c, "mlp.fc1", "mlp.fc2")
    described.head.softcap = c.final_logit_softcapping
    return described
  end,
})
