// Every one of ggml's blocks with its decoder, for the instruction set of the file that includes
// this.

#pragma once

#include "engine/tensor/ggml_iq.h"
#include "engine/tensor/ggml_k.h"

// clang-format off
#define QSPEC_GGML_ROWS                                      \
  {                                                          \
    {Dtype::kQ4_0, each_block<32, 18, decode_q4_0>},         \
    {Dtype::kQ4_1, each_block<32, 20, decode_q4_1>},         \
    {Dtype::kQ5_0, each_block<32, 22, decode_q5_0>},         \
    {Dtype::kQ5_1, each_block<32, 24, decode_q5_1>},         \
    {Dtype::kQ8_0, each_block<32, 34, decode_q8_0>},         \
    {Dtype::kQ8_1, each_block<32, 40, decode_q8_1>},         \
    {Dtype::kQ2K, each_block<256, 84, decode_q2_k>},         \
    {Dtype::kQ3K, each_block<256, 110, decode_q3_k>},        \
    {Dtype::kQ4K, each_block<256, 144, decode_q4_k>},        \
    {Dtype::kQ5K, each_block<256, 176, decode_q5_k>},        \
    {Dtype::kQ6K, each_block<256, 210, decode_q6_k>},        \
    {Dtype::kQ8K, each_block<256, 292, decode_q8_k>},        \
    {Dtype::kIq2Xxs, each_block<256, 66, decode_iq2_xxs>},   \
    {Dtype::kIq2Xs, each_block<256, 74, decode_iq2_xs>},     \
    {Dtype::kIq2S, each_block<256, 82, decode_iq2_s>},       \
    {Dtype::kIq3Xxs, each_block<256, 98, decode_iq3_xxs>},   \
    {Dtype::kIq3S, each_block<256, 110, decode_iq3_s>},      \
    {Dtype::kIq1S, each_block<256, 50, decode_iq1_s>},       \
    {Dtype::kIq1M, each_block<256, 56, decode_iq1_m>},       \
    {Dtype::kIq4Nl, each_block<32, 18, decode_iq4_nl>},      \
    {Dtype::kIq4Xs, each_block<256, 136, decode_iq4_xs>},    \
    {Dtype::kTq1_0, each_block<256, 54, decode_tq1_0>},      \
    {Dtype::kTq2_0, each_block<256, 66, decode_tq2_0>},      \
    {Dtype::kMxfp4, each_block<32, 17, decode_mxfp4>},       \
    {Dtype::kNvfp4, each_block<64, 36, decode_nvfp4>},       \
    {Dtype::kQ1_0, each_block<128, 18, decode_q1_0>},        \
  }
// clang-format on
