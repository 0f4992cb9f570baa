#include "engine/tensor/repack.h"

#include <algorithm>
#include <atomic>
#include <string>

#include "engine/core/error.h"
#include "engine/tensor/bitstream.h"
#include "engine/tensor/parallel.h"
#include "engine/tensor/parts.h"
#include "engine/tensor/sizes.h"
#include "engine/tensor/words.h"

namespace qspec {
namespace {

constexpr int64_t kGrain = 1 << 16;

template <class Word>
void unpack_words(const at::Tensor& words, size_t bits, const FieldOrder& order, uint8_t* to) {
  const auto* from = static_cast<const Word*>(words.const_data_ptr());
  const auto mask = static_cast<Word>((1u << bits) - 1);
  const size_t fields = order.size();
  parallel_ranges(words.numel(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      uint8_t* word = to + static_cast<size_t>(i) * fields;
      for (size_t k = 0; k < fields; ++k) {
        word[order[k]] = static_cast<uint8_t>(from[i] >> (bits * k) & mask);
      }
    }
  });
}

// Calls body(row) for every row of `columns` elements, on all threads.
template <class Body>
void for_rows(int64_t rows, int64_t columns, const Body& body) {
  const int64_t at_once = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, columns));
  parallel_ranges(rows, at_once, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) body(row);
  });
}

// Bytes as a number, the first one lowest.
uint64_t number_of(const uint8_t* bytes, size_t count) {
  uint64_t number = 0;
  for (size_t i = 0; i < count; ++i) number |= uint64_t{bytes[i]} << (8 * i);
  return number;
}

void put_number(uint64_t number, uint8_t* bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<uint8_t>(number >> (8 * i));
}

// Eight codes are `bits` bytes. Where there are eight bytes, one access takes them all.
void unpack_row(const uint8_t* from, size_t bits, size_t count, uint8_t* to) {
  const EightCodes eight(bits);
  const size_t bytes = (count * bits + 7) / 8;
  size_t c = 0, byte = 0;
  for (; c + 8 <= count && byte + 8 <= bytes; c += 8, byte += bits) {
    put_number(eight.to_bytes(number_of(from + byte, 8)), to + c, 8);
  }
  for (; c < count; c += 8, byte += bits) {
    const uint64_t word = number_of(from + byte, std::min(bits, bytes - byte));
    put_number(eight.to_bytes(word), to + c, std::min<size_t>(8, count - c));
  }
}

void pack_row(const uint8_t* codes, size_t bits, size_t count, uint8_t* to) {
  const EightCodes eight(bits);
  const size_t bytes = (count * bits + 7) / 8;
  size_t c = 0, byte = 0;
  for (; c + 8 <= count && byte + 8 <= bytes; c += 8, byte += bits) {
    put_number(eight.from_bytes(number_of(codes + c, 8)), to + byte, 8);
  }
  for (; c < count; c += 8, byte += bits) {
    const uint64_t word = eight.from_bytes(number_of(codes + c, std::min<size_t>(8, count - c)));
    put_number(word, to + byte, std::min(bits, bytes - byte));
  }
}

// All codes at once first; a search only where one is too large.
void check_codes(const uint8_t* codes, int64_t count, int64_t bits) {
  std::atomic<bool> fit = true;
  parallel_ranges(count, kGrain, [&](int64_t begin, int64_t end) {
    uint8_t all = 0;
    for (int64_t i = begin; i < end; ++i) all |= codes[i];
    if (all >> bits != 0) fit = false;
  });
  if (fit) return;
  const auto* wide =
      std::find_if(codes, codes + count, [bits](uint8_t code) { return code >> bits != 0; });
  throw Error(ErrorKind::kCheckpoint, "element " + std::to_string(wide - codes) + " is code " +
                                          std::to_string(*wide) + ", which " +
                                          std::to_string(bits) + " bits do not hold");
}

}  // namespace

at::Tensor unpack_fields(const at::Tensor& words, int64_t bits, const FieldOrder& order) {
  check_bits(bits);
  const at::Tensor from = checked_words(words, 1);
  const FieldOrder places = checked_order(order, from, bits);
  const auto fields = static_cast<int64_t>(places.size());
  const bool fill_words = from.element_size() * 8 % bits == 0;
  if (fill_words && std::is_sorted(places.begin(), places.end())) {
    return unpack_stream(from, bits, product(from.size(-1), fields));
  }
  at::Tensor result = empty_tensor(with_last(from, {product(from.size(-1), fields)}), at::kByte);
  with_word(from.element_size(), [&](auto zero) {
    unpack_words<decltype(zero)>(from, static_cast<size_t>(bits), places,
                                 result.mutable_data_ptr<uint8_t>());
  });
  return result;
}

at::Tensor unpack_stream(const at::Tensor& words, int64_t bits, int64_t count) {
  check_bits(bits);
  const at::Tensor from = checked_words(words, 1);
  const int64_t bytes = product(from.size(-1), from.element_size());
  if (count < 0 || ceil_div(product(std::max<int64_t>(0, count), bits), 8) > bytes) {
    throw Error(ErrorKind::kCheckpoint, "a row has " + std::to_string(bytes) +
                                            " bytes, too few for " + std::to_string(count) +
                                            " codes of " + std::to_string(bits) + " bits");
  }
  at::Tensor result = empty_tensor(with_last(from, {count}), at::kByte);
  const auto* data = static_cast<const uint8_t*>(from.const_data_ptr());
  auto* to = result.mutable_data_ptr<uint8_t>();
  const int64_t rows = count == 0 ? 0 : result.numel() / count;
  for_rows(rows, count, [&](int64_t row) {
    unpack_row(data + row * bytes, static_cast<size_t>(bits), static_cast<size_t>(count),
               to + row * count);
  });
  return result;
}

at::Tensor pack_stream(const at::Tensor& codes, int64_t bits) {
  check_bits(bits);
  if (codes.dim() < 1) throw Error(ErrorKind::kCheckpoint, "one code alone is no row of codes");
  const at::Tensor from = checked_part(codes, "codes", at::kByte, codes.numel());
  const auto* data = from.const_data_ptr<uint8_t>();
  check_codes(data, from.numel(), bits);
  const int64_t count = from.size(-1), bytes = ceil_div(product(count, bits), 8);
  at::Tensor result = empty_tensor(with_last(from, {bytes}), at::kByte);
  auto* to = result.mutable_data_ptr<uint8_t>();
  const int64_t rows = count == 0 ? 0 : from.numel() / count;
  for_rows(rows, count, [&](int64_t row) {
    pack_row(data + row * count, static_cast<size_t>(bits), static_cast<size_t>(count),
             to + row * bytes);
  });
  return result;
}

}  // namespace qspec
