#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/byte_source.h"

namespace qspec {

inline constexpr size_t kMaxZipMembers = 100'000;
inline constexpr uint64_t kMaxZipDirectoryBytes = 64u << 20;

struct ZipMember {
  std::string name;
  uint64_t offset = 0;  // of its first byte within the archive
  uint64_t bytes = 0;
  uint32_t crc = 0;  // as the archive states it; read_zip_member compares
};

// The members of a zip archive in the order of the file, as torch writes them: stored, so that each
// is a plain range of bytes. Strict, because another reader may choose otherwise where an archive
// says two things: the central directory, the local headers and the descriptors agree, members lie
// one after the other from the first byte to the directory, names are unique and stay in a folder.
// Compressed or encrypted members, archives of several disks, comments and bytes before the first
// member are refused. Reads no member. Throws Error(kCheckpoint | kUnsupported | kIo).
std::vector<ZipMember> read_zip_directory(const ByteSource& source);

// The whole of a member of at most `most` bytes, its checksum compared. A stated checksum of zero
// is taken for none: torch writes that under compute_crc32=False.
std::string read_zip_member(const ByteSource& source, const ZipMember& member, uint64_t most);

}  // namespace qspec
