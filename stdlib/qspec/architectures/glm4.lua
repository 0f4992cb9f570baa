-- GLM-4-0414: GLM with norms behind attention and MLP too.

local glm_like = require "qspec.decoder.glm_like"
local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Glm4", {
  name = "glm4",
  summary = "GLM-4-0414 and GLM-Z1",
  model_types = { "glm4" },
  config = llama_like.config { defaults = glm_like.defaults },
  decoder = function(c)
    local described = glm_like.decoder(c, "Glm4")
    local block = described.block
    block.post1, block.post2 = "post_self_attn_layernorm", "post_mlp_layernorm"
    block.order = { "attention", "mlp", "norm1", "norm2", "post1", "post2" }
    return described
  end,
})
