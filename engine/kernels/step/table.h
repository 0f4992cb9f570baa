#pragma once

#include "engine/kernels/gemv4.h"
#include "engine/kernels/step/attention.h"
#include "engine/kernels/step/elements.h"
#include "engine/kernels/step/next_token.h"
#include "engine/kernels/step/norm.h"
#include "engine/kernels/step/product.h"
#include "engine/kernels/step/recording.h"

namespace qspec::cuda {

// What a step of decoding is made of. Tests have a second table, of plain loops over host memory.
struct StepTable {
  void (*norm)(const StepNorm&, Stream);
  void (*product)(const DenseProduct&, Stream);
  void (*product4)(const Gemv4&, Stream);
  size_t (*product4_workspace_bytes)(int64_t columns);
  void (*attention)(const StepAttention&, Stream);
  int64_t (*attention_capacity)(const StepAttention&);
  void (*angles)(const RotationAngles&, Stream);
  void (*embedding)(const StepEmbedding&, Stream);
  void (*activation)(const StepActivation&, Stream);
  void (*arithmetic)(const StepArithmetic&, Stream);
  void (*end)(const StepEnd&, Stream);

  Stream (*new_stream)();
  void (*delete_stream)(Stream);
  void (*wait_for)(Stream);
  Mark (*new_mark)();
  void (*set_mark)(Mark, Stream);
  void (*wait_for_mark)(Mark);
  void (*delete_mark)(Mark);
  int64_t (*free_bytes)();  // of the device; the rest of a model is there already
  void (*copy_bytes)(void* to, const void* from, size_t bytes, Stream);
  // Null where launches cannot be recorded.
  void (*begin_recording)(Stream);
  Recording (*end_recording)(Stream);
  void (*drop_recording)(Stream) noexcept;
  void (*play)(Recording, Stream);
  void (*delete_recording)(Recording);
};

const StepTable& step_table();

}  // namespace qspec::cuda
