#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace qspec {

// SHA-256 of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::span<const std::byte> bytes);
  // 64 lower-case hexadecimal digits of all bytes so far. Nothing may follow it.
  std::string hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// SHA-256 as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

// Of a regular file's content, read in pieces. Throws Error(kIo).
std::string sha256_file(const std::string& path);

// SHA-256 of the digests, as text and without anything between, of the 4 MiB pieces that `bytes`
// are cut into: on several threads where SHA-256 itself is the work of one.
std::string sha256_of_pieces(std::span<const std::byte> bytes);

}  // namespace qspec
