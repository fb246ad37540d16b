// What the device tests ask of the fake device (cpp/fake); only its build has
// these functions.
#ifndef SPIKEDHS_FAKE_H_
#define SPIKEDHS_FAKE_H_

#include "spikedhs/spikedhs.h"

#ifdef __cplusplus
extern "C" {
#endif

// Counts since the start or the last reset, as JSON; to release.
SPIKEDHS_API char *sd_fake_report(void);
SPIKEDHS_API void sd_fake_reset(void);
// Makes the nth allocation from now on fail; 0: none.
SPIKEDHS_API void sd_fake_fail_allocation(int64_t nth);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // SPIKEDHS_FAKE_H_
