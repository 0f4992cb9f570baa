#pragma once

#include <cstdint>
#include <string_view>

namespace qspec {

// The checksum of zip, gzip and PNG: CRC-32, polynomial 0x04C11DB7, reflected.
uint32_t crc32(std::string_view bytes);

}  // namespace qspec
