// Learned biases by the distance between query and key, as T5 has them.

#include <ATen/ATen.h>

#include <cmath>

#include "engine/model/ops/tables.h"

namespace qspec {
namespace {

struct Buckets {
  int64_t count = 2;       // of one direction
  int64_t longest = 2;     // distances from here on share the last bucket
  bool both_ways = false;  // keys behind the query have buckets of their own
};

// The bucket of each relative position (key less query): small distances have one each, the larger
// ones share them by their logarithm. Source: transformers 5.17, T5Attention
// `_relative_position_bucket`, after Mesh TensorFlow; rounded at the same steps.
at::Tensor bucket_of(const at::Tensor& relative, const Buckets& buckets) {
  const int64_t exact = buckets.count / 2;
  const at::Tensor distance = buckets.both_ways ? relative.abs() : relative.clamp_max(0).neg();
  const double span = std::log(static_cast<double>(buckets.longest) / static_cast<double>(exact));
  const at::Tensor share = at::div(at::log(at::div(distance.to(at::kFloat), exact)), span);
  const at::Tensor far = at::add(at::mul(share, buckets.count - exact).to(at::kLong), exact)
                             .clamp_max(buckets.count - 1);
  const at::Tensor near = at::where(distance.lt(exact), distance, far);
  return buckets.both_ways ? near + relative.gt(0).to(at::kLong) * buckets.count : near;
}

Buckets read_buckets(Attributes& attributes, int64_t rows) {
  constexpr int64_t kMost = int64_t{1} << 40;
  Buckets buckets{rows, attributes.integer("longest", 2, kMost), attributes.flag("both_ways")};
  if (buckets.both_ways) buckets.count /= 2;
  if (buckets.count < 2) attributes.fail("there are too few buckets");
  if (buckets.longest <= buckets.count / 2) {
    attributes.fail("attribute 'longest' is not beyond the distances with a bucket of their own");
  }
  return buckets;
}

// {op="distance_bias", keys=, like=, weight=, shape={buckets, H}, longest=, both_ways=, out=}: of
// each query and key the row of its distance. keys [B, L], like [B, T, width], the queries being
// the last T -> [1, H, T, L]. both_ways: the first half of the buckets is for keys up to the query,
// the second for those behind it; otherwise keys behind the query count as distance 0.
Operation distance_bias(Attributes& attributes) {
  const Slot keys = attributes.input("keys"), like = attributes.input("like");
  const at::Tensor weight = attributes.dense_module("weight").weight;
  const Buckets buckets = read_buckets(attributes, weight.size(0));
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const int64_t length = frame[keys].size(1), queries = frame[like].size(1);
    const at::Tensor key = at::arange(length, at::kLong);
    const at::Tensor query = at::arange(length - queries, length, at::kLong).unsqueeze(1);
    const at::Tensor rows = at::embedding(weight, bucket_of(key - query, buckets));
    frame[out] = rows.permute({2, 0, 1}).unsqueeze(0);
  };
}

// {op="even_bias", q=, k=, out=}: no distance counts: zeros [1, H, T, L] for q [B, H, T, D] and
// k [B, H, L, D]. With a bias, even this one, LibTorch takes another kernel.
Operation even_bias(Attributes& attributes) {
  const Slot q = attributes.input("q"), k = attributes.input("k");
  const Slot out = attributes.output();
  return [=](Frame& frame) {
    const at::Tensor& queries = frame[q];
    frame[out] =
        at::zeros({1, queries.size(1), queries.size(2), frame[k].size(2)}, queries.options());
  };
}

constexpr OpKind kOps[] = {{"distance_bias", distance_bias}, {"even_bias", even_bias}};

}  // namespace

std::span<const OpKind> distance_ops() {
  return kOps;
}

}  // namespace qspec
