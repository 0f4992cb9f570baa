#pragma once

#include "engine/checkpoint/file_header.h"
#include "engine/core/byte_source.h"

namespace qspec {

// The tensors of a file that torch.save wrote (torch 1.6 and later: a zip archive of a pickle and
// of storages): a dictionary from names to tensors. The pickle is read as data (pickle.h). Every
// storage is as long as the pickle says, every tensor lies within its storage. Tensors may share
// storages. Refused, each by name: a tensor whose elements do not lie one after the other in
// memory, since a tensor is read as a range of its file; a dictionary within the dictionary when no
// tensor is beside it; archives that hold code; the forms of older versions of torch. Reads no
// tensor data. Throws Error(kCheckpoint | kUnsupported | kIo).
FileHeader read_torch_archive(const ByteSource& source);

}  // namespace qspec
