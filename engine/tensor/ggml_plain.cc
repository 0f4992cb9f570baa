#include "engine/tensor/ggml_rows.h"
#include "engine/tensor/ggml_versions.h"

namespace qspec {

constexpr GgmlRow kGgmlPlain[kGgmlRows] = QSPEC_GGML_ROWS;

}  // namespace qspec
