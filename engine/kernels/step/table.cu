#include "engine/kernels/step/table.h"

#include "engine/kernels/step/product4.h"

namespace qspec::cuda {

const StepTable& step_table() {
  static constexpr StepTable kTable = {
      .norm = step_norm,
      .product = dense_product,
      .product4 = step_product4,
      .product4_workspace_bytes = gemv4_workspace_bytes,
      .attention = step_attention,
      .attention_capacity = step_attention_capacity,
      .angles = rotation_angles,
      .embedding = step_embedding,
      .activation = step_activation,
      .arithmetic = step_arithmetic,
      .end = step_end,
      .new_stream = new_stream,
      .delete_stream = delete_stream,
      .wait_for = wait_for,
      .new_mark = new_mark,
      .set_mark = set_mark,
      .wait_for_mark = wait_for_mark,
      .delete_mark = delete_mark,
      .free_bytes = free_bytes,
      .copy_bytes = copy_bytes,
      .begin_recording = begin_recording,
      .end_recording = end_recording,
      .drop_recording = drop_recording,
      .play = play,
      .delete_recording = delete_recording,
  };
  return kTable;
}

}  // namespace qspec::cuda
