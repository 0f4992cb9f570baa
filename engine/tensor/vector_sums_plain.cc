#include "engine/tensor/kernel_versions.h"
#include "engine/tensor/vector_numbers.h"

namespace qspec {
namespace {

struct Floats {
  using Number = float;
  static float widened(float x) { return x; }
  static float narrowed(float x) { return x; }
};

struct Halves {
  using Number = uint16_t;
  static float widened(uint16_t number) {
    float x = 0;
    half_to_float_plain(&number, 1, &x);
    return x;
  }
  static uint16_t narrowed(float x) {
    uint16_t number = 0;
    float_to_half_plain(&x, 1, &number);
    return number;
  }
};

struct Bfloat16s {
  using Number = uint16_t;
  static float widened(uint16_t number) {
    float x = 0;
    bfloat16_to_float_plain(&number, 1, &x);
    return x;
  }
  static uint16_t narrowed(float x) {
    uint16_t number = 0;
    float_to_bfloat16_plain(&x, 1, &number);
    return number;
  }
};

template <class Kind, class Code>
void sum(const VectorCodes& codes, size_t count, typename Kind::Number* to) {
  for (size_t i = 0; i < count * codes.width; ++i) {
    const size_t first = i / codes.width * codes.books, place = i % codes.width;
    float total = 0;
    for (size_t book = 0; book < codes.books; ++book) {
      typename Kind::Number number;
      const uint8_t* vector = vector_at<Code>(codes, first + book, book);
      std::memcpy(&number, vector + place * sizeof number, sizeof number);
      total = book == 0 ? Kind::widened(number) : total + Kind::widened(number);
    }
    to[i] = Kind::narrowed(Kind::widened(Kind::narrowed(total)) * codes.scale);
  }
}

template <class Kind>
void sum_of(const VectorCodes& codes, size_t count, void* to) {
  with_code(codes, [&](auto code) {
    sum<Kind, decltype(code)>(codes, count, static_cast<typename Kind::Number*>(to));
  });
}

}  // namespace

void sum_vectors_plain(const VectorCodes& codes, size_t count, void* to, bool) {
  if (codes.kind == Rounding::kHalf) return sum_of<Halves>(codes, count, to);
  if (codes.kind == Rounding::kBfloat16) return sum_of<Bfloat16s>(codes, count, to);
  sum_of<Floats>(codes, count, to);
}

}  // namespace qspec
