#include "engine/checkpoint/signature.h"

#include <array>

namespace qspec {
namespace {

struct Signature {
  std::string_view first_bytes;
  std::string_view hint;
};

using namespace std::string_view_literals;

constexpr std::array kSignatures = {
    Signature{"version https://git-lfs"sv,
              "this is a git-lfs pointer, not the weights: run git lfs pull in the model folder"sv},
    Signature{"<!DOCTYPE"sv, "this is an HTML page, not weights: an error page was downloaded"sv},
    Signature{"<!doctype"sv, "this is an HTML page, not weights: an error page was downloaded"sv},
    Signature{"<html"sv, "this is an HTML page, not weights: an error page was downloaded"sv},
    Signature{"\x1F\x8B"sv, "this is gzip data: decompress it first"sv},
    Signature{"\x28\xB5\x2F\xFD"sv, "this is zstd data: decompress it first"sv},
    Signature{"\xFD"
              "7zXZ"sv,
              "this is xz data: decompress it first"sv},
    Signature{"PK\x03\x04"sv,
              "this is a zip archive: if torch.save wrote it, give it a name that ends in .bin"sv},
    Signature{"\x80\x02"sv, "this is a pickle: save the model as safetensors"sv},
    Signature{"\x80\x03"sv, "this is a pickle: save the model as safetensors"sv},
    Signature{"\x80\x04"sv, "this is a pickle: save the model as safetensors"sv},
    Signature{"\x80\x05"sv, "this is a pickle: save the model as safetensors"sv},
    Signature{"GGUF"sv, "this is a GGUF file"sv},
    Signature{"\x89HDF"sv, "this is an HDF5 file: save the model as safetensors"sv},
    Signature{"{"sv, "this is JSON text: was an index or a config given for the weights?"sv},
};

}  // namespace

std::string_view foreign_file_hint(std::string_view first_bytes) {
  for (const Signature& row : kSignatures) {
    if (first_bytes.starts_with(row.first_bytes)) return row.hint;
  }
  return "";
}

}  // namespace qspec
