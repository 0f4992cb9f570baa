#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/tensor/kernel_versions.h"

// What the vector versions of decode_coded share. `Lanes` wraps the registers of one instruction
// set: kCount floats, load, store, all, sub, mul, add, gather. `Out` says where values go: Element,
// store(to, floats) and narrow(floats, count, to). `Codes` reads: bytes(row) are read by a vector,
// at(p) are the values of the kCount codes from p on. Each version declares its own in an unnamed
// namespace, so that no function made from these templates leaves its file.
namespace qspec::coded {

// Eight codes are a whole number of bytes whatever their width: vectors begin there.
inline constexpr size_t kAligned = 8;

// Bytes to fetch ahead: the arithmetic between two reads is too long for the processor to foresee
// the next one.
inline constexpr size_t kAhead = 2048;

// The scales of some lanes; see Group in coded_plain.cc.
template <class Lanes>
struct Affine {
  using Floats = typename Lanes::Floats;

  static Affine of_group(const CodedRow& row, size_t group) {
    return {Lanes::all(row.zeros != nullptr ? row.zeros[group] : 0.0f),
            Lanes::all(row.scales[group]),
            Lanes::all(row.shifts != nullptr ? row.shifts[group] : -0.0f)};
  }

  Floats operator()(Floats value) const {
    return Lanes::add(Lanes::mul(Lanes::sub(value, zero), scale), shift);
  }

  // With row.rounding, when there is one.
  Floats in_steps(const CodedRow& row, Floats value) const {
    if (row.rounding == Rounding::kNone) return (*this)(value);
    Floats product = Lanes::mul(Lanes::rounded(row.rounding, Lanes::sub(value, zero)), scale);
    if (row.shifts != nullptr) product = Lanes::rounded(row.rounding, product);
    return Lanes::add(product, shift);
  }

  Floats zero, scale, shift;
};

// The plain version, wherever its values go.
template <class Out>
void decode_plainly(const CodedRow& row, size_t first, size_t count, typename Out::Element* to) {
  std::array<float, 64> values;
  for (size_t done = 0; done < count; done += values.size()) {
    const size_t part = std::min(values.size(), count - done);
    decode_coded_plain(row, first + done, part, values.data(), false);
    Out::narrow(values.data(), part, to + done);
  }
}

// Columns first.. of `row` up to `end`: vectors of `width` from the first multiple of kStart up to
// `limit`, which is the last one that a vector may begin at, the plain version before and after.
// step(codes of the column, column, to) decodes a vector.
template <class Out, size_t kStart, class Step>
void decode_run(const CodedRow& row, size_t first, size_t end, size_t limit, size_t width,
                const Step& step, typename Out::Element* to) {
  size_t c = std::min(end, (first + kStart - 1) / kStart * kStart);
  if (c > first) decode_plainly<Out>(row, first, c - first, to);
  const auto bits = static_cast<size_t>(row.bits);
  for (; c + width <= end && c <= limit; c += width) {
    const uint8_t* codes = row.codes + c / kAligned * bits;
    __builtin_prefetch(codes + kAhead);
    step(codes, c, to + (c - first));
  }
  if (c < end) decode_plainly<Out>(row, c, end - c, to + (c - first));
}

// The last aligned column whose vector, `bytes` long, lies before row.end, in `column`; false when
// there is none.
inline bool last_column(const CodedRow& row, size_t bytes, size_t& column) {
  const auto readable = static_cast<size_t>(row.end - row.codes);
  if (readable < bytes) return false;
  column = (readable - bytes) / static_cast<size_t>(row.bits) * kAligned;
  return true;
}

// Calls body(group, begin, end) for the parts of columns first.. that have one group each.
template <class Body>
void for_groups(const CodedRow& row, size_t first, size_t count, const Body& body) {
  const size_t end = first + count;
  size_t group = first / row.block, next = (group + 1) * row.block;
  for (; first < end; first = next, next += row.block, ++group) {
    body(group, first, std::min(end, next));
  }
}

// Columns that each have their own scales: scales_of(column). The copies are for the compiler,
// which keeps them in registers.
template <class Lanes, class Out, class Codes, class Scales>
void decode_columns(const CodedRow& row, size_t first, size_t count, size_t limit,
                    const Scales& scales, typename Out::Element* to) {
  const Codes codes(row);
  const Scales scales_of = scales;
  if (row.rounding == Rounding::kNone) {
    const auto step = [=](const uint8_t* p, size_t c, typename Out::Element* out) {
      Out::store(out, scales_of(c)(codes.at(p)));
    };
    return decode_run<Out, Scales::kStart>(row, first, first + count, limit, Lanes::kCount, step,
                                           to);
  }
  const auto step = [&](const uint8_t* p, size_t c, typename Out::Element* out) {
    Out::store(out, scales_of(c).in_steps(row, codes.at(p)));
  };
  decode_run<Out, Scales::kStart>(row, first, first + count, limit, Lanes::kCount, step, to);
}

template <class Lanes>
struct GatheredScales {
  static constexpr size_t kStart = kAligned;

  explicit GatheredScales(const CodedRow& row)
      : groups(row.groups), zeros(row.zeros), scales(row.scales), shifts(row.shifts) {}

  Affine<Lanes> operator()(size_t column) const {
    const auto gathered = [&](const float* from, float otherwise) {
      return from != nullptr ? Lanes::gather(from, groups + column) : Lanes::all(otherwise);
    };
    return {gathered(zeros, 0.0f), gathered(scales, 1.0f), gathered(shifts, -0.0f)};
  }

  const int32_t* groups;
  const float* zeros;
  const float* scales;
  const float* shifts;
};

inline constexpr size_t kMostSmall = 32;

// Groups so small that a table for each would cost more than it saves, and no vector has two.
template <class Lanes>
struct SmallGroups {
  static constexpr size_t kStart = Lanes::kCount;

  static bool fit(const CodedRow& row) {
    return row.block % Lanes::kCount == 0 && row.block <= kMostSmall &&
           (row.block & (row.block - 1)) == 0;
  }

  explicit SmallGroups(const CodedRow& row)
      : zeros(row.zeros),
        scales(row.scales),
        shifts(row.shifts),
        log2_block(__builtin_ctzll(row.block)) {}

  Affine<Lanes> operator()(size_t column) const {
    const size_t group = column >> log2_block;
    return {Lanes::all(zeros != nullptr ? zeros[group] : 0.0f), Lanes::all(scales[group]),
            Lanes::all(shifts != nullptr ? shifts[group] : -0.0f)};
  }

  const float* zeros;
  const float* scales;
  const float* shifts;
  int log2_block;
};

// One group after the other: `prepared(affine)` is made once for each and decodes its vectors.
template <class Lanes, class Out, class Prepare>
void decode_groups(const CodedRow& row, size_t first, size_t count, size_t limit, size_t width,
                   const Prepare& prepared, typename Out::Element* to) {
  for_groups(row, first, count, [&](size_t group, size_t begin, size_t end) {
    const auto vectors = prepared(Affine<Lanes>::of_group(row, group));
    const auto step = [&](const uint8_t* p, size_t, typename Out::Element* out) {
      vectors.decode(p, out);
    };
    decode_run<Out, kAligned>(row, begin, end, limit, width, step, to + (begin - first));
  });
}

// A group of codes that are converted and then scaled one by one.
template <class Lanes, class Out, class Codes>
struct ConvertedGroup {
  void decode(const uint8_t* p, typename Out::Element* to) const {
    Out::store(to, affine(codes.at(p)));
  }

  Codes codes;
  Affine<Lanes> affine;
};

template <class Lanes, class Out, class Codes>
struct SteppedGroup {
  void decode(const uint8_t* p, typename Out::Element* to) const {
    Out::store(to, affine.in_steps(row, codes.at(p)));
  }

  const CodedRow& row;
  Codes codes;
  Affine<Lanes> affine;
};

template <class Lanes, class Out, class Codes>
void decode_converted(const CodedRow& row, size_t first, size_t count, typename Out::Element* to) {
  size_t limit = 0;
  if (!last_column(row, Codes::bytes(row), limit)) {
    return decode_plainly<Out>(row, first, count, to);
  }
  if (row.groups != nullptr) {
    return decode_columns<Lanes, Out, Codes>(row, first, count, limit, GatheredScales<Lanes>(row),
                                             to);
  }
  if (SmallGroups<Lanes>::fit(row)) {
    return decode_columns<Lanes, Out, Codes>(row, first, count, limit, SmallGroups<Lanes>(row), to);
  }
  const Codes codes(row);
  if (row.rounding != Rounding::kNone) {
    const auto stepped = [&](const Affine<Lanes>& affine) {
      return SteppedGroup<Lanes, Out, Codes>{row, codes, affine};
    };
    return decode_groups<Lanes, Out>(row, first, count, limit, Lanes::kCount, stepped, to);
  }
  const auto converted = [&](const Affine<Lanes>& affine) {
    return ConvertedGroup<Lanes, Out, Codes>{codes, affine};
  };
  decode_groups<Lanes, Out>(row, first, count, limit, Lanes::kCount, converted, to);
}

}  // namespace qspec::coded
