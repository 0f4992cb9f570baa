#pragma once

#include <cstdint>
#include <functional>

namespace qspec {

// Calls body(begin, end) over disjoint parts of 0..count-1, each a multiple of `grain` long but the
// last, on LibTorch's threads. Returns when all are done; the first exception of a body is thrown
// again.
void parallel_ranges(int64_t count, int64_t grain,
                     const std::function<void(int64_t begin, int64_t end)>& body);

}  // namespace qspec
