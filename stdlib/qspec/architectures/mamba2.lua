-- Mamba 2: listed, not run.

local blocks = require "qspec.outline.blocks"
local mamba_like = require "qspec.outline.mamba_like"

return mamba_like.architecture("Mamba2", {
  name = "mamba2",
  summary = "Mamba 2 and Codestral Mamba (listed, not run)",
  model_types = { "mamba2" },
  config = mamba_like.config({ vocab_size = 32768, hidden_size = 4096, num_hidden_layers = 64,
    state_size = 128, num_heads = 128, head_dim = 64, n_groups = 8, tie_word_embeddings = false },
    { num_heads = "count", head_dim = "count", n_groups = "count" }),
  outline = function(c)
    return mamba_like.outline(c, "Mamba2", function(listing, prefix)
      blocks.mamba2(listing, prefix, { width = c.hidden_size, inner = c.expand * c.hidden_size,
        heads = c.num_heads, groups = c.n_groups, state = c.state_size, kernel = c.conv_kernel,
        bias = c.use_bias, conv_bias = c.use_conv_bias, norm = "MambaRMSNormGated" })
    end)
  end,
})
