-- mT5.

local t5_like = require "qspec.encoder_decoder.t5_like"

return t5_like.architecture {
  prefix = "MT5",
  defaults = { vocab_size = 250112, d_ff = 1024, num_layers = 8, num_heads = 6,
    feed_forward_proj = "gated-gelu", decoder_start_token_id = 0 },
  scales = function() return false end,
  fields = { name = "mt5", summary = "mT5: encoder-decoder", model_types = { "mt5" } },
}
