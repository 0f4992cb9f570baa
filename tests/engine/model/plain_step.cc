#include "tests/engine/model/plain_step.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "engine/tensor/kernels.h"

namespace qspec::cuda {
namespace {

float element_at(const void* data, Element element, int64_t i) {
  float value = 0;
  if (element == Element::kFloat32) return static_cast<const float*>(data)[i];
  const uint16_t* from = static_cast<const uint16_t*>(data) + i;
  (element == Element::kFloat16 ? kernels().half_to_float : kernels().bfloat16_to_float)(from, 1,
                                                                                         &value);
  return value;
}

void put(void* data, Element element, int64_t i, float value) {
  if (element == Element::kFloat32) {
    static_cast<float*>(data)[i] = value;
    return;
  }
  uint16_t* to = static_cast<uint16_t*>(data) + i;
  (element == Element::kFloat16 ? kernels().float_to_half : kernels().float_to_bfloat16)(&value, 1,
                                                                                         to);
}

struct Rounded {
  Element element;

  float operator()(float value) const {
    float stored = 0;
    put(&stored, element, 0, value);
    return element_at(&stored, element, 0);
  }
};

float normed(const StepNorm& job, float x, float by, int64_t column) {
  const float weight = job.weight ? element_at(job.weight, job.element, column) : 1.0f;
  const float bias = job.bias ? element_at(job.bias, job.element, column) : 0.0f;
  switch (job.kind) {
    case NormKind::kLayer:
      return x * by * weight + bias;
    case NormKind::kRmsAfterRounding:
      return weight * (job.weight ? Rounded{job.element}(x * by) : x * by);
    case NormKind::kRmsBeforeRounding:
      return weight * (x * by);
    case NormKind::kRmsOnePlus:
      return x * by * (weight + 1);
  }
  return x;
}

void norm_row(const StepNorm& job, int64_t place) {
  std::vector<float> row(static_cast<size_t>(job.width));
  for (int64_t i = 0; i < job.width; ++i) {
    float value = element_at(job.x.data, job.element, place + i);
    for (const void* more : job.added) {
      if (more != nullptr) {
        value = Rounded{job.element}(value + element_at(more, job.element, place + i));
      }
    }
    if (job.sum != nullptr) put(job.sum, job.element, place + i, value);
    row[static_cast<size_t>(i)] = value;
  }
  double mean = 0, squares = 0;
  if (job.kind == NormKind::kLayer) {
    for (const float x : row) mean += x;
    mean /= static_cast<double>(job.width);
  }
  for (const float x : row) squares += (x - mean) * (x - mean);
  const double variance = squares / static_cast<double>(job.width);
  const auto by = static_cast<float>(1 / std::sqrt(variance + job.eps));
  for (int64_t i = 0; i < job.width; ++i) {
    const float x = row[static_cast<size_t>(i)] - static_cast<float>(mean);
    put(job.out, job.element, place + i, normed(job, x, by, i));
  }
}

void norm(const StepNorm& job, Stream) {
  for (int64_t b = 0; b < job.batch; ++b) {
    for (int32_t h = 0; h < job.heads; ++h) norm_row(job, job.x.offset(b, h));
  }
}

// y[b, row] from its sum.
template <class Job>
void store(const Job& job, int64_t b, int64_t row, double sum) {
  auto value = static_cast<float>(sum);
  if (job.bias != nullptr) {
    if (job.bias_apart) value = Rounded{job.element}(value);
    value += element_at(job.bias, job.element, row);
  }
  put(job.y, job.element, b * job.rows + row, value);
}

template <class Job, class Weight>
void multiply(const Job& job, const Weight& weight) {
  for (int64_t row = 0; row < job.rows; ++row) {
    for (int64_t b = 0; b < job.batch; ++b) {
      double sum = 0;
      for (int64_t i = 0; i < job.columns; ++i) {
        sum += weight(row * job.columns + i) *
               double{element_at(job.x, job.element, b * job.columns + i)};
      }
      store(job, b, row, sum);
    }
  }
}

void product(const DenseProduct& job, Stream) {
  multiply(job, [&](int64_t i) { return double{element_at(job.weight, job.element, i)}; });
}

void product4(const Gemv4& job, Stream) {
  multiply(job, [&](int64_t i) {
    const int code = i % 2 == 0 ? job.packed[i / 2] >> 4 : job.packed[i / 2] & 15;
    return double{job.codebook.value[code]} * job.scales[i / job.group];
  });
}

size_t no_workspace(int64_t) {
  return 1;
}

float table_value(const StepAttention& job, const void* values, int64_t at) {
  return element_at(values, job.table.precise_table ? Element::kFloat32 : job.element, at);
}

std::vector<float> turned(const StepAttention& job, const HeadPlaces& places, int64_t b,
                          int32_t h) {
  const int64_t from = places.offset(b, h);
  std::vector<float> head;
  for (int32_t i = 0; i < job.width; ++i) {
    if (i >= 2 * job.table.pairs) {
      head.push_back(element_at(places.data, job.element, from + i));
      continue;
    }
    const RotatedPair pair = pair_of_element(job.style, i, job.table.pairs);
    const int64_t at = b * job.table.pairs + pair.index;
    const Rounded rounded{job.element};
    head.push_back(rounded(rotated(element_at(places.data, job.element, from + pair.first),
                                   element_at(places.data, job.element, from + pair.second),
                                   table_value(job, job.table.cos, at),
                                   table_value(job, job.table.sin, at), pair.gives_second,
                                   job.precise_rotation || job.table.precise_table, rounded)));
  }
  return head;
}

int64_t cache_row(const StepAttention& job, int64_t b, int32_t h, int64_t token) {
  const int32_t kv = h / (job.heads / job.kv_heads);
  return ((b * job.kv_heads + kv) * job.capacity + token) * job.width;
}

std::vector<float> shares_of(const StepAttention& job, int64_t b, int32_t h, int32_t first,
                             int32_t last) {
  const Rounded rounded{job.element};
  const std::vector<float> q = turned(job, job.q, b, h);
  std::vector<float> shares;
  for (int32_t key = first; key <= last; ++key) {
    double dot = 0;
    for (int32_t i = 0; i < job.width; ++i) {
      dot += double{q[static_cast<size_t>(i)]} *
             element_at(job.keys, job.element, cache_row(job, b, h, key) + i);
    }
    const auto product = static_cast<float>(dot);
    const int32_t position = key - job.progress.starts[b];
    shares.push_back(
        job.slopes == nullptr
            ? scored(job.scoring, product, rounded)
            : scored_with_position(job.scoring, product, job.slopes[h], position, rounded));
  }
  const float most = *std::max_element(shares.begin(), shares.end());
  double sum = 0;
  for (float& share : shares) sum += share = std::exp(share - most);
  for (float& share : shares) {
    share = static_cast<float>(share / sum);
    if (job.scoring.rounds) share = rounded(share);
  }
  return shares;
}

void attend(const StepAttention& job, int64_t b, int32_t h) {
  const int32_t last = job.progress.lengths[b], start = job.progress.starts[b];
  const int32_t first = job.window > 0 ? std::max(start, last - job.window + 1) : start;
  const std::vector<float> shares = shares_of(job, b, h, first, last);
  for (int32_t i = 0; i < job.width; ++i) {
    double sum = 0;
    for (int32_t key = first; key <= last; ++key) {
      sum += double{shares[static_cast<size_t>(key - first)]} *
             element_at(job.values, job.element, cache_row(job, b, h, key) + i);
    }
    put(job.out, job.element, (b * job.heads + h) * job.width + i, static_cast<float>(sum));
  }
}

void attention(const StepAttention& job, Stream) {
  const int32_t group = job.heads / job.kv_heads;
  for (int64_t b = 0; b < job.batch; ++b) {
    const int32_t last = job.progress.lengths[b];
    for (int32_t h = 0; h < job.heads; h += group) {
      const std::vector<float> k = turned(job, job.k, b, h / group);
      const int64_t at = cache_row(job, b, h, last), v = job.v.offset(b, h / group);
      for (int32_t i = 0; i < job.width; ++i) {
        put(job.keys, job.element, at + i, k[static_cast<size_t>(i)]);
        put(job.values, job.element, at + i, element_at(job.v.data, job.element, v + i));
      }
    }
    for (int32_t h = 0; h < job.heads; ++h) attend(job, b, h);
  }
}

int64_t any_capacity(const StepAttention& job) {
  return job.capacity;
}

void angles(const RotationAngles& job, Stream) {
  const Element element = job.to.precise_table ? Element::kFloat32 : job.element;
  for (int64_t b = 0; b < job.batch; ++b) {
    const int32_t position = job.progress.lengths[b] - job.progress.starts[b];
    for (int32_t i = 0; i < job.to.pairs; ++i) {
      const float angle = static_cast<float>(position) * job.frequencies[i];
      put(job.to.cos, element, b * job.to.pairs + i, std::cos(angle) * job.amplitude);
      put(job.to.sin, element, b * job.to.pairs + i, std::sin(angle) * job.amplitude);
    }
  }
}

void embedding(const StepEmbedding& job, Stream) {
  for (int64_t b = 0; b < job.batch; ++b) {
    const int64_t position = job.progress.lengths[b] - job.progress.starts[b] + job.offset;
    const int64_t row = job.ids != nullptr ? job.ids[b] : position;
    for (int64_t i = 0; i < job.width; ++i) {
      put(job.out, job.element, b * job.width + i,
          element_at(job.table, job.element, row * job.width + i));
    }
  }
}

void activation(const StepActivation& job, Stream) {
  const Rounded rounded{job.element};
  for (int64_t b = 0; b < job.batch; ++b) {
    for (int64_t i = 0; i < job.width; ++i) {
      const float x = element_at(job.x, job.element, b * job.x_row + i);
      float value = activated(job.kind, x, rounded);
      if (job.other != nullptr) {
        value = rounded(value) * element_at(job.other, job.element, b * job.other_row + i);
      }
      put(job.out, job.element, b * job.width + i, value);
    }
  }
}

void arithmetic(const StepArithmetic& job, Stream) {
  for (int64_t b = 0; b < job.batch; ++b) {
    for (int64_t i = 0; i < job.width; ++i) {
      const float x = element_at(job.x, job.element, b * job.x_row + i);
      const float y =
          job.y == nullptr ? job.number : element_at(job.y, job.element, b * job.y_row + i);
      put(job.out, job.element, b * job.width + i,
          calculated(job.kind, x, y, Rounded{job.element}));
    }
  }
}

void end(const StepEnd& job, Stream) {
  const auto bytes = static_cast<int64_t>(bytes_of(job.element));
  const auto copy_row = [&](void* to, const void* from, int64_t row, int64_t b, int64_t width) {
    std::memcpy(static_cast<char*>(to) + row * width * bytes,
                static_cast<const char*>(from) + b * width * bytes,
                static_cast<size_t>(width * bytes));
  };
  for (int64_t b = 0; b < job.batch; ++b) {
    const int32_t length = job.progress.lengths[b]++;
    const int64_t row = (length - job.first_length) % job.ring * job.batch + b;
    copy_row(job.kept_logits, job.logits, row, b, job.vocabulary);
    copy_row(job.kept_hidden, job.hidden, row, b, job.width);
    int64_t best = -1;
    for (int64_t i = 0; i < job.vocabulary; ++i) {
      const float logit = element_at(job.logits, job.element, b * job.vocabulary + i);
      const bool is_better =
          !std::isnan(logit) &&
          (best < 0 || logit > element_at(job.logits, job.element, b * job.vocabulary + best));
      if (is_better) best = i;
    }
    job.ids[b] = job.kept_ids[row] = std::max<int64_t>(best, 0);
  }
}

void copy(void* to, const void* from, size_t bytes, Stream) {
  std::memcpy(to, from, bytes);
}

}  // namespace

const StepTable& plain_step_table() {
  static constexpr StepTable kTable = {
      .norm = norm,
      .product = product,
      .product4 = product4,
      .product4_workspace_bytes = no_workspace,
      .attention = attention,
      .attention_capacity = any_capacity,
      .angles = angles,
      .embedding = embedding,
      .activation = activation,
      .arithmetic = arithmetic,
      .end = end,
      .new_stream = [] { return Stream{nullptr}; },
      .delete_stream = [](Stream) {},
      .wait_for = [](Stream) {},
      .new_mark = [] { return Mark{nullptr}; },
      .set_mark = [](Mark, Stream) {},
      .wait_for_mark = [](Mark) {},
      .delete_mark = [](Mark) {},
      .free_bytes = [] { return int64_t{1} << 40; },
      .copy_bytes = copy,
      .begin_recording = nullptr,
      .end_recording = nullptr,
      .drop_recording = nullptr,
      .play = nullptr,
      .delete_recording = nullptr,
  };
  return kTable;
}

}  // namespace qspec::cuda
