#pragma once

// Arithmetic of one element that a kernel and a test on the CPU share: a function marked QSPEC_BOTH
// is compiled for both sides where nvcc reads it, and is plain C++ elsewhere.
#if defined(__CUDACC__)
#define QSPEC_BOTH __host__ __device__
#else
#define QSPEC_BOTH
#endif
