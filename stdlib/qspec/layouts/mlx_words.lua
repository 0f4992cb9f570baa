-- MLX's affine words: `weight`, `scales` and `biases`, in linears and embeddings.

return require("qspec.layouts.affine_words").layout {
  name = "mlx",
  summary = "affine codes of 1 to 8 bits in 32-bit words, scales and biases",
  class = "QuantizedLinear",
  embedding_class = "QuantizedEmbedding",
  offsets = "biases",
  group_size = 64,
  rounds = true,
}
