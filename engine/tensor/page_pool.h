#pragma once

#include <cstddef>

namespace qspec {

// Memory for large tensors, aligned to huge pages and made of them where the kernel has some.
//
// A model is read, decoded and dropped weight by weight. Fresh pages cost more to clear than a
// weight costs to decode, so up to 1 GiB of what was given back is kept for the next weight. Safe
// to use from several threads.
struct Pages {
  void* memory = nullptr;
  size_t bytes = 0;  // a multiple of 2 MiB
};

// At least `bytes`, and not much more. Throws Error(kDevice) when there is no memory.
Pages take_pages(size_t bytes);

// The pages must have come from take_pages; nothing refers to them any more.
void give_back_pages(Pages pages);

}  // namespace qspec
