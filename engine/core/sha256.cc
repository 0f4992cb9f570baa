#include "engine/core/sha256.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/file.h"

namespace qspec {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    require(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }

  void update(std::span<const std::byte> bytes) {
    require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }

  std::string hex() {
    std::array<unsigned char, 32> digest = {};
    require(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
    std::string text;
    for (const unsigned char byte : digest) {
      text += "0123456789abcdef"[byte >> 4];
      text += "0123456789abcdef"[byte & 15];
    }
    return text;
  }

 private:
  static void require(bool done) {
    if (!done) throw Error(ErrorKind::kInternal, "libcrypto does not compute SHA-256");
  }

  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(bytes)));
  return hash.hex();
}

std::string sha256_file(const std::string& path) {
  constexpr uint64_t kPiece = 1u << 20;
  const std::shared_ptr<const File> file = File::open(path);
  std::vector<std::byte> buffer(std::min(file->size(), kPiece));
  Sha256 hash;
  for (uint64_t offset = 0; offset < file->size(); offset += kPiece) {
    const std::span piece(buffer.data(), std::min(kPiece, file->size() - offset));
    file->read_at(offset, piece);
    hash.update(piece);
  }
  return hash.hex();
}

}  // namespace qspec
