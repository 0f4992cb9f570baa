-- GPT-J: attention and MLP side by side behind one norm, rotary positions of neighbours, scores in
-- fp32, a bias in the head.

local gptj_like = require "qspec.decoder.gptj_like"

return gptj_like.architecture("GPTJ", {
  name = "gptj",
  summary = "GPT-J",
  model_types = { "gptj" },
  decoder = function(c)
    return gptj_like.decoder(c, "GPTJ", { q = "attn.q_proj", k = "attn.k_proj",
      v = "attn.v_proj", order = { "k", "v", "q", "out" } })
  end,
})
