#include "engine/tensor/planes.h"

#include <algorithm>
#include <string>

#include "engine/core/error.h"
#include "engine/tensor/coded.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/parallel.h"
#include "engine/tensor/parts.h"
#include "engine/tensor/sizes.h"
#include "engine/tensor/words.h"

namespace qspec {
namespace {

void check_shifts(const Coded& weight, int64_t word_bits) {
  for (const int64_t shift : weight.planes) {
    if (shift >= 0 && shift + weight.bits <= word_bits) continue;
    throw Error(ErrorKind::kSpec, "a plane of " + std::to_string(weight.bits) + " bits at bit " +
                                      std::to_string(shift) + ", wanted within words of " +
                                      std::to_string(word_bits));
  }
}

}  // namespace

at::Tensor checked_planes(const Coded& weight) {
  const at::Tensor words = checked_words(weight.codes, 1);
  if (weight.bits > Planes::kBits || words.element_size() > 4) {
    throw Error(ErrorKind::kSpec,
                "planes of " + std::to_string(weight.bits) + " bits in words of " +
                    std::to_string(words.element_size() * 8) + ", wanted at most 4 bits and 32");
  }
  check_shifts(weight, words.element_size() * 8);
  const int64_t codes = product(words.numel(), static_cast<int64_t>(weight.planes.size()));
  if (codes >= element_count(weight.shape)) return words;
  throw Error(ErrorKind::kCheckpoint, std::to_string(words.numel()) + " words in " +
                                          std::to_string(weight.planes.size()) +
                                          " planes are too few for " +
                                          std::to_string(element_count(weight.shape)) + " codes");
}

Planes::Planes(const Coded& weight)
    : words_(weight.codes), bits_(weight.bits), shifts_(weight.planes) {}

void Planes::gather(int64_t begin, int64_t count, int64_t first, uint8_t* row) const {
  const auto* words = static_cast<const uint8_t*>(words_.const_data_ptr());
  const auto bytes = static_cast<int64_t>(words_.element_size());
  while (count > 0) {
    const int64_t within = begin % words_.numel();
    const WordField field{words + within * bytes, static_cast<size_t>(bytes),
                          static_cast<int>(shifts_[static_cast<size_t>(begin / words_.numel())]),
                          bits_};
    int64_t taken = std::min(count, words_.numel() - within);
    if (first % 2 == 0) {
      kernels().field_nibbles(field, static_cast<size_t>(taken), row + first / 2);
    } else {  // the other half of a byte
      uint8_t code = 0;
      kernels().field_nibbles(field, taken = 1, &code);
      row[first / 2] = static_cast<uint8_t>((row[first / 2] & 15) | code << 4);
    }
    begin += taken;
    first += taken;
    count -= taken;
  }
}

void Planes::for_ranges(int64_t count, int64_t grain,
                        const std::function<void(int64_t, int64_t)>& body) const {
  const int64_t words = words_.numel();
  parallel_ranges(std::min(words, count), grain, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; part += grain) {
      const int64_t part_end = std::min(part + grain, end);
      for (size_t k = 0; k < shifts_.size(); ++k) {
        const int64_t plane = static_cast<int64_t>(k) * words;
        if (plane + part >= count) break;
        body(plane + part, std::min(plane + part_end, count));
      }
    }
  });
}

}  // namespace qspec
