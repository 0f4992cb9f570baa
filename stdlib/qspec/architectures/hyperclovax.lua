-- HyperCLOVA X: Granite with norms behind attention and MLP as well, and logits times a number.

local granite_like = require "qspec.decoder.granite_like"
local llama_like = require "qspec.decoder.llama_like"

local defaults = { use_post_norm = true }
for key, value in pairs(granite_like.defaults) do defaults[key] = value end
defaults.attention_multiplier = nil  -- of the heads' width
local types = { use_post_norm = "boolean" }
for key, value in pairs(granite_like.types) do types[key] = value end

return llama_like.architecture("HyperCLOVAX", {
  name = "hyperclovax",
  summary = "HyperCLOVA X",
  model_types = { "hyperclovax" },
  config = llama_like.config { defaults = defaults, types = types,
    nullable = { "attention_multiplier" } },
  decoder = function(c)
    local described = granite_like.decoder(c, "HyperCLOVAX")
    described.head.scale, described.head.divide = c.logits_scaling, nil
    if not c.use_post_norm then return described end
    local block = described.block
    block.post1, block.post2 = "post_norm1", "post_norm2"
    block.order = { "attention", "mlp", "norm1", "norm2", "post1", "post2" }
    return described
  end,
})
