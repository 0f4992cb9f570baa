#if defined(__x86_64__)

#include "engine/tensor/ggml_rows.h"
#include "engine/tensor/ggml_versions.h"

namespace qspec {

constexpr GgmlRow kGgmlAvx2[kGgmlRows] = QSPEC_GGML_ROWS;

}  // namespace qspec

#endif
