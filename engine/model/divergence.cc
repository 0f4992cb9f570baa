#include "engine/model/divergence.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "engine/core/error.h"

namespace qspec {
namespace {

// The logits of one row, and the logarithm of the sum of their exponentials.
template <class T>
class Row {
 public:
  Row(const T* logits, int64_t size) : logits_(logits), size_(size) {
    for (int64_t i = 1; i < size; ++i) {
      if (logits[i] > logits[best_]) best_ = i;
    }
    for (int64_t i = 0; i < size; ++i) {
      if (i != best_) second_ = std::max(second_, static_cast<double>(logits[i]));
    }
    const auto most = static_cast<double>(logits[best_]);
    double sum = 0;
    for (int64_t i = 0; i < size; ++i) sum += std::exp(static_cast<double>(logits[i]) - most);
    log_sum_ = most + std::log(sum);
  }

  double log_share(int64_t token) const { return static_cast<double>(logits_[token]) - log_sum_; }
  int64_t best() const { return best_; }
  // Its logit less that of the best other token.
  double margin(int64_t token) const {
    const auto own = static_cast<double>(logits_[token]);
    return own - (token == best_ ? second_ : static_cast<double>(logits_[best_]));
  }
  int64_t size() const { return size_; }

 private:
  const T* logits_;
  int64_t size_, best_ = 0;
  double log_sum_ = 0;
  double second_ = -std::numeric_limits<double>::infinity();
};

template <class T>
double kl(const Row<T>& baseline, const Row<T>& row) {
  double sum = 0;
  for (int64_t i = 0; i < row.size(); ++i) {
    const double wanted = baseline.log_share(i);
    const double share = std::exp(wanted);
    if (share > 0) sum += share * (wanted - row.log_share(i));
  }
  return std::max(sum, 0.0);  // rounding can leave a little less
}

void check_scored(const std::vector<int64_t>& ids, int64_t first) {
  if (first >= 1 && first < static_cast<int64_t>(ids.size())) return;
  throw Error(ErrorKind::kSpec, "nothing is left to score behind the first " +
                                    std::to_string(first) + " of " + std::to_string(ids.size()) +
                                    " tokens");
}

}  // namespace

Divergence divergence(const at::Tensor& logits, const at::Tensor& baseline_logits,
                      const at::Tensor& tokens) {
  const int64_t rows = logits.size(0), width = logits.size(1);
  const auto made = [&](at::ScalarType dtype) { return at::empty({rows}, dtype); };
  Divergence result{made(at::kDouble), made(at::kDouble), made(at::kDouble),
                    made(at::kBool),   made(at::kDouble), made(at::kDouble)};
  const bool is_alike = logits.scalar_type() == baseline_logits.scalar_type();
  const at::ScalarType dtype = is_alike ? logits.scalar_type() : at::kFloat;
  // Each model leaves them on its device; rows are read here.
  const at::Tensor a = logits.to(at::kCPU, dtype).contiguous();
  const at::Tensor b = baseline_logits.to(at::kCPU, dtype).contiguous();
  const at::Tensor wanted = tokens.cpu().contiguous();
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, dtype, "divergence", [&] {
    at::parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const Row<scalar_t> row(a.const_data_ptr<scalar_t>() + i * width, width);
        const Row<scalar_t> base(b.const_data_ptr<scalar_t>() + i * width, width);
        const int64_t token = wanted.const_data_ptr<int64_t>()[i];
        result.nll.mutable_data_ptr<double>()[i] = -row.log_share(token);
        result.baseline_nll.mutable_data_ptr<double>()[i] = -base.log_share(token);
        result.kl.mutable_data_ptr<double>()[i] = kl(base, row);
        result.same_top.mutable_data_ptr<bool>()[i] = row.best() == base.best();
        result.margin.mutable_data_ptr<double>()[i] = row.margin(base.best());
        result.baseline_margin.mutable_data_ptr<double>()[i] = base.margin(base.best());
      }
    });
  });
  return result;
}

Divergence compare_models(const Model& model, const Model& baseline,
                          const std::vector<int64_t>& ids, int64_t first) {
  check_scored(ids, first);
  if (model.vocab_size() != baseline.vocab_size()) {
    throw Error(ErrorKind::kSpec,
                "the model has a vocabulary of " + std::to_string(model.vocab_size()) +
                    ", the baseline one of " + std::to_string(baseline.vocab_size()))
        .hint("only models of one tokenizer can be compared");
  }
  const TokenBatch batch = make_batch({&ids, 1}, model.vocab_size());
  const auto tokens = static_cast<int64_t>(ids.size()), scored = tokens - first;
  const auto logits = [&](const Model& one) {
    KvCache cache = one.make_cache(tokens);
    return one.run(batch, cache).logits[0].narrow(0, first - 1, scored);
  };
  return divergence(logits(model), logits(baseline), batch.ids[0].narrow(0, first, scored));
}

}  // namespace qspec
