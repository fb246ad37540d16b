// Stands in for the toolkit's header of this name where the CUDA headers come from
// Python wheels, which keep it in another package. Only what a host compiler needs
// to read cuda_runtime_api.h: device keywords mean nothing to it.
#ifndef __HOST_DEFINES_H__
#define __HOST_DEFINES_H__

#define __host__
#define __device__
#define __global__
#define __shared__
#define __constant__
#define __managed__
#define __grid_constant__
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __annotate__(a)
#define __location__(a)
#define __device_builtin__
#define __device_builtin_texture_type__
#define __device_builtin_surface_type__
#define __cudart_builtin__
#define __specialization_static
#define __no_return__ __attribute__((noreturn))
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __attribute__((aligned(n)))
#define __thread__ __thread
#define __import__
#define __export__
#define __cdecl
#define CUDARTAPI
#define CUDARTAPI_CDECL

#endif  // __HOST_DEFINES_H__
