-- UMT5: an mT5 whose layers each have biases by distance of their own.

local t5_like = require "qspec.encoder_decoder.t5_like"

return t5_like.architecture {
  prefix = "UMT5", each_layer = true,
  defaults = { vocab_size = 250112, d_ff = 1024, num_layers = 8, num_heads = 6,
    feed_forward_proj = "gated-gelu", decoder_start_token_id = 0 },
  scales = function() return true end,
  fields = { name = "umt5", summary = "UMT5: encoder-decoder", model_types = { "umt5" } },
}
