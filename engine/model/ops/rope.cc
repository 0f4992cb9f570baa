#include <ATen/ATen.h>

#include <memory>
#include <utility>

#include "engine/model/ops/rope_frequencies.h"
#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

// {op="rope_table", positions=, like=, width=, theta=, amplitude=, scaling=, ..., precise=,
// out={cos, sin}}: [B, 1, T, width / 2] each, of the angle position * frequency, times amplitude.
// In the dtype of `like`, or in fp32 when precise. rope_frequencies.h has the rest of the
// attributes.
Operation rope_table(Attributes& attributes) {
  const Slot positions = attributes.input("positions"), like = attributes.input("like");
  const std::shared_ptr<const RopeFrequencies> frequencies = read_rope_frequencies(attributes);
  const double amplitude = attributes.number("amplitude");
  const bool precise = attributes.flag("precise");
  const auto out = attributes.outputs("out", 2);
  return [=](Frame& frame) {
    const at::Tensor& at_positions = frame[positions];
    const int64_t length = at_positions.max().item<int64_t>() + 1;
    const at::Tensor angles = at_positions.to(at::kFloat).unsqueeze(1).unsqueeze(3) *
                              frequencies->of(length).to(at_positions.device());
    const auto dtype = precise ? at::kFloat : frame[like].scalar_type();
    frame[out[0]] = (angles.cos() * amplitude).to(dtype);
    frame[out[1]] = (angles.sin() * amplitude).to(dtype);
  };
}

struct Rotation {
  at::Tensor first, second;  // of each pair
};

Rotation rotated(const at::Tensor& first, const at::Tensor& second, const at::Tensor& cos,
                 const at::Tensor& sin) {
  return {first * cos - second * sin, second * cos + first * sin};
}

using Style = at::Tensor (*)(const at::Tensor&, const at::Tensor&, const at::Tensor&);

// Pairs are (i, i + width / 2).
at::Tensor halves(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  const auto parts = x.chunk(2, -1);
  const auto [first, second] = rotated(parts[0], parts[1], cos, sin);
  return at::cat({first, second}, -1);
}

// The other way around.
at::Tensor halves_back(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  return halves(x, cos, sin.neg());
}

Rotation rotated_neighbours(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  const at::Tensor pairs = x.unflatten(-1, {-1, 2});
  return rotated(pairs.select(-1, 0), pairs.select(-1, 1), cos, sin);
}

// Pairs are (2 i, 2 i + 1).
at::Tensor neighbours(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  const auto [first, second] = rotated_neighbours(x, cos, sin);
  return at::stack({first, second}, -1).flatten(-2);
}

// Read as neighbours, written as halves.
at::Tensor neighbours_to_halves(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  const auto [first, second] = rotated_neighbours(x, cos, sin);
  return at::cat({first, second}, -1);
}

constexpr std::pair<std::string_view, Style> kStyles[] = {
    {"halves", halves},
    {"halves_back", halves_back},
    {"neighbours", neighbours},
    {"neighbours_to_halves", neighbours_to_halves},
};

// {op="rope", x=, cos=, sin=, style=, precise=, out=}: rotates the first dimensions of each head of
// x [B, H, T, D], as many as the tables have, and passes the others. With precise the products are
// taken in fp32.
Operation rope(Attributes& attributes) {
  const Slot x = attributes.input("x"), cos = attributes.input("cos"),
             sin = attributes.input("sin");
  const auto style = attributes.choice<Style>("style", kStyles);
  const bool precise = attributes.flag("precise");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor& all = frame[x];
    const int64_t width = 2 * frame[cos].size(-1), rest = all.size(-1) - width;
    at::Tensor part = all.narrow(-1, 0, width);
    if (precise) part = part.to(at::kFloat);
    at::Tensor turned = style(part, frame[cos], frame[sin]).to(all.scalar_type());
    frame[out] = rest == 0 ? turned : at::cat({turned, all.narrow(-1, width, rest)}, -1);
  };
}

constexpr OpKind kOps[] = {{"rope_table", rope_table}, {"rope", rope}};

}  // namespace

std::span<const OpKind> rope_ops() {
  return kOps;
}

}  // namespace qspec
