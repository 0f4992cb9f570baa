#pragma once

#include "engine/kernels/device.h"

struct CUevent_st;
struct CUgraphExec_st;

namespace qspec::cuda {

// Launches of a step, recorded once and started as one. A stream of its own: what LibTorch queues
// goes on beside it.
using Recording = CUgraphExec_st*;
// A place in a stream, which the host can wait for.
using Mark = CUevent_st*;

Stream new_stream();
void delete_stream(Stream stream);
void wait_for(Stream stream);
Mark new_mark();
void set_mark(Mark mark, Stream stream);
void wait_for_mark(Mark mark);
void delete_mark(Mark mark);
void begin_recording(Stream stream);
Recording end_recording(Stream stream);
// Ends a recording that failed, and forgets it.
void drop_recording(Stream stream) noexcept;
void play(Recording recording, Stream stream);
void delete_recording(Recording recording);

// Of the current GPU.
int64_t free_bytes();

// Between host and device, behind what is queued; returns when it is done.
void copy_bytes(void* to, const void* from, size_t bytes, Stream stream);

}  // namespace qspec::cuda
