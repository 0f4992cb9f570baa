#include "engine/core/sha256.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/file.h"
#include "engine/core/in_parallel.h"

namespace qspec {
namespace {

void require(bool done) {
  if (!done) throw Error(ErrorKind::kInternal, "libcrypto does not compute SHA-256");
}

}  // namespace

struct Sha256::Context {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest{EVP_MD_CTX_new(),
                                                                 &EVP_MD_CTX_free};
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  EVP_MD_CTX* digest = context_->digest.get();
  require(digest != nullptr && EVP_DigestInit_ex(digest, EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
  require(EVP_DigestUpdate(context_->digest.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
  std::array<unsigned char, 32> digest = {};
  require(EVP_DigestFinal_ex(context_->digest.get(), digest.data(), nullptr) == 1);
  std::string text;
  for (const unsigned char byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

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

std::string sha256_of_pieces(std::span<const std::byte> bytes) {
  constexpr size_t kPiece = 4u << 20;
  std::vector<std::string> digests((bytes.size() + kPiece - 1) / kPiece);
  in_parallel(
      digests.size(),
      [&](size_t i) {
        const size_t begin = i * kPiece;
        Sha256 hash;
        hash.update(bytes.subspan(begin, std::min(kPiece, bytes.size() - begin)));
        digests[i] = hash.hex();
      },
      1);
  Sha256 all;
  for (const std::string& digest : digests) all.update(std::as_bytes(std::span(digest)));
  return all.hex();
}

}  // namespace qspec
