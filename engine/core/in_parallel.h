#pragma once

#include <cstddef>
#include <functional>

namespace qspec {

// Calls body(0) ... body(count - 1), each once, on a few threads when there are many: one thread
// for so many calls, fewer the longer a call takes. When some of them throw, the rest is not begun,
// and what the first of them by number threw is thrown here.
void in_parallel(size_t count, const std::function<void(size_t)>& body,
                 size_t calls_per_thread = 16);

}  // namespace qspec
