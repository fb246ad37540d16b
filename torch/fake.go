//go:build fakedevice

package torch

// #include "spikedhs/fake.h"
import "C"

import (
	"encoding/json"
	"fmt"
)

// FakeCounts is what the fake device of the device tests counted; see cpp/fake.
type FakeCounts struct {
	// Launches is the estimate of kernels launched, by the table of
	// cpp/fake/launches.cc.
	Launches int64 `json:"launches"`
	// Uploads are copies to the device that nobody waits for; BlockingUploads those
	// from memory that is not page-locked, or that were waited for.
	Uploads         int64 `json:"uploads"`
	BlockingUploads int64 `json:"blocking_uploads"`
	// Reads are copies from the device that nobody waits for; BlockingReads all
	// others, and numbers that the host had to wait for.
	Reads         int64 `json:"reads"`
	BlockingReads int64 `json:"blocking_reads"`
	// Replays is the number of graphs replayed. Their work is not counted again.
	Replays int64 `json:"replays"`
	// SlowForeach lists the operators over many tensors that went one by one, because
	// types or layouts differed.
	SlowForeach []string `json:"slow_foreach"`
	// Operators by name.
	Operators map[string]FakeOperator `json:"operators"`
}

// FakeOperator is how often an operator was called, and its launches.
type FakeOperator struct {
	Calls    int64 `json:"calls"`
	Launches int64 `json:"launches"`
}

// FakeRange is a range of [Annotate]: the number of its runs, the sums over all,
// the most launches of one, and the last one whole.
type FakeRange struct {
	Runs            int64      `json:"runs"`
	Launches        int64      `json:"launches"`
	Most            int64      `json:"most"`
	BlockingUploads int64      `json:"blocking_uploads"`
	BlockingReads   int64      `json:"blocking_reads"`
	Last            FakeCounts `json:"last"`
}

// FakeReport has the counts of the process, and of each range.
type FakeReport struct {
	FakeCounts
	Ranges map[string]FakeRange `json:"ranges"`
}

// ReadFake returns the counts since the start or [ResetFake].
func ReadFake() (FakeReport, error) {
	var r FakeReport
	if err := json.Unmarshal([]byte(ownText(C.sd_fake_report())), &r); err != nil {
		return FakeReport{}, fmt.Errorf("torch: counts of the fake device: %w", err)
	}
	return r, nil
}

// ResetFake starts counting anew.
func ResetFake() { C.sd_fake_reset() }

// FailAllocation makes the n-th allocation on the fake device from now on fail; 0:
// none.
func FailAllocation(n int) { C.sd_fake_fail_allocation(C.int64_t(n)) }
