#pragma once

#include <cmath>
#include <cstdint>

#include "engine/kernels/both.h"

namespace qspec::cuda {

// The activations of engine/model/ops/activation.cc, by the names that configs use.
enum class ActivationKind : int32_t {
  kBloomGelu,
  kGelu,
  kGeluFast,
  kGeluNew,
  kGeluTanh,
  kQuickGelu,
  kRelu,
  kReluSquared,
  kSigmoid,
  kSilu,
  kTanh,
};

// Of one number. `rounded` takes a float to the nearest that the dtype of the model has: forms that
// a library computes step by step are rounded after each, the others once, in the caller.
template <class Rounded>
QSPEC_BOTH float activated(ActivationKind kind, float x, const Rounded& rounded) {
  switch (kind) {
    case ActivationKind::kBloomGelu: {
      const float inner = rounded(rounded(rounded(x * 0.044715f) * x) + 1.0f);
      const float turned = rounded(tanhf(rounded(rounded(x * 0.79788456f) * inner)));
      return rounded(x * 0.5f) * rounded(turned + 1.0f);
    }
    case ActivationKind::kGeluFast: {
      const float inner = rounded(rounded(rounded(x * 0.044715f) * x) + 1.0f);
      const float turned = rounded(tanhf(rounded(rounded(x * 0.7978845608f) * inner)));
      return rounded(x * 0.5f) * rounded(turned + 1.0f);
    }
    case ActivationKind::kGeluNew: {
      const float cubic = rounded(rounded(x * x * x) * 0.044715f);
      const float inner = rounded(rounded(x + cubic) * 0.797884560802865f);
      return rounded(x * 0.5f) * rounded(rounded(tanhf(inner)) + 1.0f);
    }
    case ActivationKind::kGelu:
      return x * 0.5f * (1.0f + erff(x * 0.70710678118654752f));
    case ActivationKind::kGeluTanh:
      return 0.5f * x * (1.0f + tanhf(0.7978845608028654f * (x + 0.044715f * (x * x * x))));
    case ActivationKind::kQuickGelu:
      return x * rounded(1.0f / (1.0f + expf(-rounded(x * 1.702f))));
    case ActivationKind::kRelu:
      return x > 0.0f || x != x ? x : 0.0f;
    case ActivationKind::kReluSquared:
      return x > 0.0f || x != x ? x * x : 0.0f;
    case ActivationKind::kSigmoid:
      return 1.0f / (1.0f + expf(-x));
    case ActivationKind::kSilu:
      return x / (1.0f + expf(-x));
    case ActivationKind::kTanh:
      return tanhf(x);
  }
  return x;
}

}  // namespace qspec::cuda
