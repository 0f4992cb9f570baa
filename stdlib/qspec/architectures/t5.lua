-- T5, T5 v1.1 and FLAN-T5.

local t5_like = require "qspec.encoder_decoder.t5_like"

return t5_like.architecture {
  prefix = "T5",
  defaults = { vocab_size = 32128, d_ff = 2048, num_layers = 6, num_heads = 8,
    feed_forward_proj = "relu" },
  -- T5 v1.1 and FLAN-T5 say so by tie_word_embeddings = false; files of transformers 5 by name.
  scales = function(c)
    if c.scale_decoder_outputs ~= nil then return c.scale_decoder_outputs end
    return c.tie_word_embeddings ~= false
  end,
  fields = { name = "t5", summary = "T5, T5 v1.1, FLAN-T5: encoder-decoders",
    model_types = { "t5" } },
}
