// Prints how fast coded weights (engine/tensor/coded.h) of 4096 x 11008 are decoded and repacked,
// in bytes read and written, beside moving as many bytes with the same threads and no arithmetic.
// The best of many runs, in turn with the moves. usage: decode_bench [rounds, 15 by default]

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "engine/tensor/code_values.h"
#include "engine/tensor/coded.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/parallel.h"
#include "engine/tensor/repack.h"
#include "engine/tensor/sizes.h"

namespace qspec {
namespace {

constexpr int64_t kRows = 4096, kColumns = 11008;

double seconds_of(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Reads and writes as many bytes as decoding does, past the caches and into pages that were used
// before: where more are written than read, each is written several times.
void move(const at::Tensor& from, int64_t read, int64_t written) {
  constexpr int64_t kPart = 4096;
  at::Tensor to = empty_tensor({written}, at::kByte);
  const auto* source = from.const_data_ptr<uint8_t>();
  auto* target = to.mutable_data_ptr<uint8_t>();
  const double ratio = static_cast<double>(read) / static_cast<double>(written);
  parallel_ranges(written, 1 << 20, [&](int64_t begin, int64_t end) {
    for (; begin < end; begin += kPart) {
      const auto position = static_cast<int64_t>(static_cast<double>(begin) * ratio);
      kernels().stream(source + position, static_cast<size_t>(std::min(kPart, end - begin)),
                       target + begin);
    }
  });
}

class Report {
 public:
  explicit Report(int rounds)
      : rounds_(rounds), source_(at::full({kRows * kColumns * 4}, 1, at::kByte)) {}

  void row(const std::string& name, int64_t read, int64_t written,
           const std::function<void()>& body) const {
    const int64_t bytes = read + written;
    double best = 1e9, best_move = 1e9;
    for (int round = 0; round <= rounds_; ++round) {
      const double taken = seconds_of(body);
      const double moved = seconds_of([&] { move(source_, read, written); });
      if (round == 0) continue;
      best = std::min(best, taken);
      best_move = std::min(best_move, moved);
    }
    const auto rate = [bytes](double seconds) {
      return static_cast<double>(bytes) / seconds / 1e9;
    };
    std::printf("%-44s %6.2f ms %6.1f GB/s  move %6.1f GB/s  %4.0f %%\n", name.c_str(), best * 1e3,
                rate(best), rate(best_move), 100 * best_move / best);
  }

 private:
  int rounds_;
  at::Tensor source_;
};

Coded weight_of(int64_t bits, int64_t block, at::Tensor values) {
  Coded weight;
  weight.codes = at::randint(0, 256, {kRows, kColumns * bits / 8}, at::kByte);
  weight.bits = bits;
  weight.values = std::move(values);
  weight.scales = at::rand({kRows, kColumns / block});
  weight.block_rows = 1;
  weight.block_columns = block;
  weight.shape = {kRows, kColumns};
  return weight;
}

Coded with_zeros(Coded weight) {
  weight.zeros = at::randint(0, 16, weight.scales.sizes(), at::kFloat);
  return weight;
}

Coded with_groups(Coded weight) {
  weight.groups = at::randint(0, weight.scales.size(1), {kColumns}, at::kInt);
  return weight;
}

int64_t bytes_of(const at::Tensor& tensor) {
  return tensor.defined() ? static_cast<int64_t>(tensor.nbytes()) : 0;
}

void decode_rows(const Report& report, const std::string& name, const Coded& unchecked) {
  const Coded weight = checked(unchecked);
  const int64_t read = bytes_of(weight.codes) + bytes_of(weight.scales) + bytes_of(weight.zeros);
  report.row(name + " to bfloat16", read, 2 * kRows * kColumns,
             [&] { dequantize(weight, at::kBFloat16); });
  report.row(name + " to float32", read, 4 * kRows * kColumns,
             [&] { dequantize(weight, at::kFloat); });
}

void run(int rounds) {
  const Report report(rounds);
  const at::Tensor e4m3 = at::arange(256).to(at::kByte).view(at::kFloat8_e4m3fn).to(at::kFloat);
  decode_rows(report, "4 bits g128", weight_of(4, 128, at::arange(16) - 8));
  decode_rows(report, "4 bits g128, zeros", with_zeros(weight_of(4, 128, at::arange(16))));
  decode_rows(report, "4 bits act-order", with_groups(weight_of(4, 128, at::arange(16) - 8)));
  decode_rows(report, "4 bits act-order, zeros",
              with_groups(with_zeros(weight_of(4, 128, at::arange(16)))));
  decode_rows(report, "4 bits g16", weight_of(4, 16, at::randn({16})));
  decode_rows(report, "2 bits g128, zeros", with_zeros(weight_of(2, 128, at::arange(4))));
  decode_rows(report, "3 bits g128, zeros", with_zeros(weight_of(3, 128, at::arange(8))));
  decode_rows(report, "8 bits g128, zeros", with_zeros(weight_of(8, 128, at::arange(256))));
  decode_rows(report, "8 bits a row", weight_of(8, kColumns, at::arange(256) - 128));
  decode_rows(report, "e4m3 g128", weight_of(8, 128, e4m3));
  decode_rows(report, "8 bits g128, any values", weight_of(8, 128, at::randn({256})));
  decode_rows(report, "6 bits g32", weight_of(6, 32, at::randn({64})));
  const int64_t codes_of_4 = kRows * kColumns / 2, codes_of_8 = kRows * kColumns;
  const int64_t codes_of_3 = kRows * kColumns * 3 / 8;
  const at::Tensor gptq = at::randint(0, 1 << 30, {kColumns / 8, kRows}, at::kInt);
  report.row("transpose_words (GPTQ)", codes_of_4, codes_of_4, [&] { transpose_words(gptq); });
  const at::Tensor awq = at::randint(0, 1 << 30, {kColumns, kRows / 8}, at::kInt);
  report.row("transpose_fields (AWQ)", codes_of_4, codes_of_4, [&] {
    transpose_fields(awq, 4, {0, 2, 4, 6, 1, 3, 5, 7});
  });
  const at::Tensor codes = at::randint(0, 8, {kRows, kColumns}, at::kByte);
  report.row("pack_stream, 3 bits", codes_of_8, codes_of_3, [&] { pack_stream(codes, 3); });
  const at::Tensor stream = pack_stream(codes, 3);
  report.row("unpack_stream, 3 bits", codes_of_8, codes_of_3,
             [&] { unpack_stream(stream, 3, kColumns); });
  report.row("unpack_fields, 4 bits", codes_of_4, codes_of_8, [&] { unpack_fields(gptq, 4); });
}

}  // namespace
}  // namespace qspec

int main(int argc, char** argv) {
  std::printf("4096 x 11008, %d threads\n", at::get_num_threads());
  qspec::run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 15);
}
