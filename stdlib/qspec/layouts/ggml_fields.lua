-- Where the parts of a ggml block lie: byte offsets and lengths.
--
-- Source: ggml, ggml-common.h, the block_* structures.
--
-- scale and minimum are float16; scales the small scales of a block's own groups; codes the bytes
-- with two or four codes each, or one of a whole byte.

return {
  Q4_0 = { scale = 0, codes = { 2, 16 }, per_byte = 2 },
  Q4_1 = { scale = 0, minimum = 2, codes = { 4, 16 }, per_byte = 2 },
  Q5_0 = { scale = 0, codes = { 6, 16 }, per_byte = 2 },
  Q5_1 = { scale = 0, minimum = 2, codes = { 8, 16 }, per_byte = 2 },
  Q8_0 = { scale = 0, codes = { 2, 32 }, per_byte = 1 },
  Q2_K = { scale = 80, minimum = 82, scales = { 0, 16 }, codes = { 16, 64 }, per_byte = 4 },
  Q3_K = { scale = 108, scales = { 96, 12 }, codes = { 32, 64 }, per_byte = 4 },
  Q4_K = { scale = 0, minimum = 2, scales = { 4, 12 }, codes = { 16, 128 }, per_byte = 2 },
  Q5_K = { scale = 0, minimum = 2, scales = { 4, 12 }, codes = { 48, 128 }, per_byte = 2 },
  Q6_K = { scale = 208, scales = { 192, 16 }, codes = { 0, 128 }, per_byte = 2 },
  IQ4_NL = { scale = 0, codes = { 2, 16 }, per_byte = 2 },
  IQ4_XS = { scale = 0, scales = { 4, 4 }, codes = { 8, 128 }, per_byte = 2 },
}
