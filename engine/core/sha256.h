#pragma once

#include <string>
#include <string_view>

namespace qspec {

// SHA-256 as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

// Of a regular file's content, read in pieces. Throws Error(kIo).
std::string sha256_file(const std::string& path);

}  // namespace qspec
