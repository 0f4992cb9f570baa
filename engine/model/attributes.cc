#include "engine/model/attributes.h"

#include <algorithm>
#include <cmath>

#include "engine/core/error.h"
#include "engine/model/did_you_mean.h"
#include "engine/model/shown.h"
#include "engine/tensor/packed.h"

namespace qspec {
namespace {

std::string describe(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (const int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

std::vector<int64_t> stored_shape(const ModuleWeights& module) {
  if (module.packed) return module.packed->shape();
  return (module.int8 ? module.int8->codes : module.weight).sizes().vec();
}

[[noreturn]] void refuse(const std::string& name, const at::Tensor& found,
                         const std::string& wanted) {
  throw Error(ErrorKind::kCheckpoint, "'" + printable(name) + "' is " +
                                          std::string(c10::toString(found.scalar_type())) + " " +
                                          describe(found.sizes().vec()) + ", wanted " + wanted);
}

// Of what reaches the kernels unchanged; a packed weight has checked its own parts.
void check_dtypes(const std::string& name, const ModuleWeights& module) {
  if (module.weight.defined() && !at::isFloatingType(module.weight.scalar_type())) {
    refuse(name + ".weight", module.weight, "a floating dtype");
  }
  if (!module.int8) return;
  const auto& [codes, absmax, threshold] = *module.int8;
  if (codes.scalar_type() != at::kChar || codes.dim() != 2) {
    refuse(name + ".weight", codes, "int8 codes in two dimensions");
  }
  if (absmax.scalar_type() != at::kFloat || absmax.numel() != codes.size(0)) {
    refuse(name + " (absmax)", absmax,
           "a float for each of " + std::to_string(codes.size(0)) + " rows");
  }
}

void check_shape(const std::string& name, const std::vector<int64_t>& found,
                 const std::vector<int64_t>& wanted) {
  if (found == wanted) return;
  throw Error(ErrorKind::kCheckpoint, "'" + printable(name) + "' is " + describe(found) +
                                          ", the config wants " + describe(wanted))
      .hint("config.json and the weights are of different models");
}

// "shape" and "bias" belong to the module in "weight"; another module has its own behind its key.
std::string of_module(std::string_view key, const char* what) {
  return key == "weight" ? what : std::string(key) + "_" + what;
}

}  // namespace

Slot Registers::define(std::string_view name) {
  current_.insert_or_assign(std::string(name), slots_);
  return slots_++;
}

const Slot* Registers::find(std::string_view name) const {
  const auto found = current_.find(name);
  return found == current_.end() ? nullptr : &found->second;
}

std::vector<std::string> Registers::names() const {
  std::vector<std::string> names;
  for (const auto& [name, slot] : current_) names.push_back(name);
  return names;
}

Attributes::Attributes(const Json& instruction, size_t index, Preparation& preparation)
    : instruction_(instruction), index_(index), preparation_(preparation), op_("?") {
  if (!instruction.is_object()) fail("is not an object");
  op_ = text("op");
}

Slot Attributes::input(std::string_view key) {
  const std::string name = text(key);
  const Slot* slot = preparation_.registers.find(name);
  if (slot == nullptr) unknown("register", name, preparation_.registers.names());
  read_.push_back(*slot);
  return *slot;
}

Slot Attributes::define(const std::string& name) {
  return written_.emplace_back(preparation_.registers.define(name));
}

Slot Attributes::output(std::string_view key) {
  return define(text(key));
}

std::vector<Slot> Attributes::outputs(std::string_view key, size_t count) {
  const Json& names = value(key);
  if (!names.is_array() || names.size() != count) {
    fail("attribute '" + std::string(key) + "' wants " + std::to_string(count) + " names");
  }
  std::vector<Slot> slots;
  for (const Json& name : names) {
    if (!name.is_string()) fail("attribute '" + std::string(key) + "' wants names");
    slots.push_back(define(name.get_ref<const std::string&>()));
  }
  return slots;
}

bool Attributes::has(std::string_view key) {
  asked_.emplace_back(key);
  return instruction_.contains(key);
}

double Attributes::number(std::string_view key) {
  const Json& found = value(key);
  if (!found.is_number()) fail("attribute '" + std::string(key) + "' wants a number");
  return found.get<double>();
}

int64_t Attributes::integer(std::string_view key, int64_t least, int64_t most) {
  const double found = number(key);
  if (std::floor(found) != found || found < static_cast<double>(least) ||
      found > static_cast<double>(most)) {
    fail("attribute '" + std::string(key) + "' is " + shown(value(key)) +
         ", wanted a whole number of " + std::to_string(least) + " to " + std::to_string(most));
  }
  return static_cast<int64_t>(found);
}

int64_t Attributes::window(std::string_view key) {
  constexpr int64_t kMost = int64_t{1} << 40;
  return has(key) ? integer(key, 0, kMost) : 0;
}

std::string Attributes::text(std::string_view key) {
  const Json& found = value(key);
  if (!found.is_string()) fail("attribute '" + std::string(key) + "' wants a text");
  return found.get<std::string>();
}

bool Attributes::flag(std::string_view key) {
  if (!has(key)) return false;
  const Json& found = value(key);
  if (!found.is_boolean()) fail("attribute '" + std::string(key) + "' wants true or false");
  return found.get<bool>();
}

const Json& Attributes::value(std::string_view key) {
  asked_.emplace_back(key);
  const auto found = instruction_.find(key);
  if (found == instruction_.end()) fail("has no attribute '" + std::string(key) + "'");
  return *found;
}

const ModuleWeights& Attributes::dense_module(std::string_view key) {
  const ModuleWeights& found = module(key);
  check_dense(text(key), found);
  return found;
}

std::vector<at::Tensor> Attributes::dense_weights(std::string_view key) {
  const std::vector<int64_t> wanted = shape("shape");
  if (wanted.empty()) fail("attribute 'shape' is empty");
  std::vector<at::Tensor> weights;
  for (const Json& entry : value(key)) {
    if (!entry.is_string()) fail("attribute '" + std::string(key) + "' wants names");
    const std::string& name = entry.get_ref<const std::string&>();
    const ModuleWeights& found = named(name);
    check_dense(name, found);
    check_shape(name + ".weight", stored_shape(found), wanted);
    check_bias(name + ".bias", found.bias, wanted.front(), false);
    weights.push_back(found.weight);
  }
  return weights;
}

void Attributes::check_dense(const std::string& name, const ModuleWeights& module) const {
  if (module.weight.defined()) return;
  throw Error(ErrorKind::kUnsupported,
              "'" + printable(name) + "' is quantized, and '" + op_ + "' needs its weight dense");
}

const ModuleWeights& Attributes::linear_module(std::string_view key, bool transposed) {
  return module(key, transposed);
}

const ModuleWeights& Attributes::named(const std::string& name) {
  const auto found = preparation_.weights.find(name);
  if (found == preparation_.weights.end()) {
    throw Error(ErrorKind::kCheckpoint,
                "the checkpoint has no weight for '" + printable(name) + "'")
        .hint("transformers would start it at random; the file is incomplete or of another model");
  }
  check_dtypes(name, found->second);
  if (std::find(modules_.begin(), modules_.end(), name) == modules_.end()) modules_.push_back(name);
  return found->second;
}

const ModuleWeights& Attributes::module(std::string_view key, bool transposed) {
  const std::string name = text(key);
  const ModuleWeights& found = named(name);
  std::vector<int64_t> wanted = shape(of_module(key, "shape"));
  const bool is_scalar = wanted.empty();
  const int64_t rows = is_scalar ? 1 : transposed ? wanted.back() : wanted.front();
  if (transposed && !found.weight.defined()) {
    std::reverse(wanted.end() - std::min<ptrdiff_t>(2, std::ssize(wanted)), wanted.end());
  }
  check_shape(name + ".weight", stored_shape(found), wanted);
  check_bias(name + ".bias", found.bias, rows, flag(of_module(key, "bias")));
  return found;
}

void Attributes::check_bias(const std::string& name, const at::Tensor& bias, int64_t size,
                            bool wanted) {
  if (wanted != bias.defined()) {
    throw Error(ErrorKind::kCheckpoint,
                "'" + printable(name) + "' is " + (bias.defined() ? "there" : "missing") +
                    ", the architecture has " + (bias.defined() ? "none" : "one"));
  }
  if (bias.defined()) check_shape(name, bias.sizes().vec(), {size});
}

std::vector<int64_t> Attributes::shape(const std::string& key) {
  const Json& sizes = value(key);
  std::vector<int64_t> shape;
  for (const Json& size : sizes) {
    if (!size.is_number()) fail("attribute '" + key + "' wants whole numbers");
    shape.push_back(size.get<int64_t>());
  }
  return shape;
}

void Attributes::finish() const {
  for (const auto& [key, value] : instruction_.items()) {
    if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) {
      unknown("attribute", key, asked_);
    }
  }
}

void Attributes::fail(const std::string& message) const {
  throw Error(ErrorKind::kSpec, "instruction " + std::to_string(index_ + 1) + ", '" +
                                    printable(op_) + "': " + message);
}

void Attributes::unknown(std::string_view what, const std::string& name,
                         std::span<const std::string> known) const {
  throw Error(ErrorKind::kSpec, "instruction " + std::to_string(index_ + 1) + ", '" +
                                    printable(op_) + "': unknown " + std::string(what) + " '" +
                                    printable(name) + "'")
      .hint(did_you_mean(name, known));
}

}  // namespace qspec
