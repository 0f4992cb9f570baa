-- transformers' Metal format: affine words with `qbiases`.

return require("qspec.layouts.affine_words").layout {
  name = "metal",
  summary = "affine codes of 2, 4 or 8 bits in 32-bit words, scales and qbiases",
  class = "MetalLinear",
  offsets = "qbiases",
  group_size = 64,
  rounds = false,
}
