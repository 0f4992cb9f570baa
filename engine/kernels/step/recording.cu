#include "engine/kernels/step/recording.h"

#include "engine/kernels/launch.cuh"

namespace qspec::cuda {

Stream new_stream() {
  Stream stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
  return stream;
}

void delete_stream(Stream stream) {
  check(cudaStreamDestroy(stream), "giving a stream back");
}

void wait_for(Stream stream) {
  check(cudaStreamSynchronize(stream), "waiting for the GPU");
}

Mark new_mark() {
  Mark mark = nullptr;
  check(cudaEventCreateWithFlags(&mark, cudaEventDisableTiming), "making an event");
  return mark;
}

void set_mark(Mark mark, Stream stream) {
  check(cudaEventRecord(mark, stream), "marking a place in a stream");
}

void wait_for_mark(Mark mark) {
  check(cudaEventSynchronize(mark), "waiting for steps of a GPU");
}

void delete_mark(Mark mark) {
  check(cudaEventDestroy(mark), "giving an event back");
}

void begin_recording(Stream stream) {
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "recording a step");
}

Recording end_recording(Stream stream) {
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(stream, &graph), "recording a step");
  cudaGraphExec_t recording = nullptr;
  const cudaError_t status = cudaGraphInstantiate(&recording, graph, 0);
  cudaGraphDestroy(graph);
  check(status, "preparing a recorded step");
  return recording;
}

void drop_recording(Stream stream) noexcept {
  cudaGraph_t graph = nullptr;
  cudaStreamEndCapture(stream, &graph);
  if (graph != nullptr) cudaGraphDestroy(graph);
  cudaGetLastError();  // what failed has been told
}

void play(Recording recording, Stream stream) {
  check(cudaGraphLaunch(recording, stream), "starting a recorded step");
}

void delete_recording(Recording recording) {
  check(cudaGraphExecDestroy(recording), "giving a recorded step back");
}

int64_t free_bytes() {
  size_t free = 0, all = 0;
  check(cudaMemGetInfo(&free, &all), "asking for the free memory of the GPU");
  return static_cast<int64_t>(free);
}

void copy_bytes(void* to, const void* from, size_t bytes, Stream stream) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream), "copying");
  wait_for(stream);
}

}  // namespace qspec::cuda
