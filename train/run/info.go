package run

import (
	"bytes"
	"encoding/json"
	"io"
	"runtime"
	"runtime/debug"
	"time"
)

// FormatVersion is the version of the layout of run folders that this package writes.
const FormatVersion = 1

// Info is what run.json says about a run. The name of the machine is not part of it.
type Info struct {
	// Format is the version of the folder's layout. [Create] sets it.
	Format int `json:"format"`
	// Version is the version of the program.
	Version string `json:"version"`
	// Git is the commit the program was built from, with "-dirty" behind it if the
	// working tree had changes; empty if unknown. [Create] fills it in.
	Git string `json:"git,omitempty"`
	// Go is the version of the Go toolchain. [Create] fills it in.
	Go string `json:"go"`
	// Command is the command line.
	Command []string `json:"command"`
	// Seed is the seed of the run. [Create] takes it from the configuration.
	Seed int64 `json:"seed"`
	// Libtorch is the version of libtorch.
	Libtorch string `json:"libtorch,omitempty"`
	// CUDA is the version of CUDA, empty on a CPU.
	CUDA string `json:"cuda,omitempty"`
	// Device is the device the run computes on, as resolved from "auto".
	Device string `json:"device"`
	// Precision is the type of the convolutions, as resolved from "auto".
	Precision string `json:"precision,omitempty"`
	// Threads is the number of threads libtorch computes with.
	Threads int `json:"threads"`
	// Started is when the run began. [Create] fills in the present.
	Started time.Time `json:"started"`
	// Resumed lists when the run was continued.
	Resumed []time.Time `json:"resumed,omitempty"`
	// Ended is when the run came to its end, zero while it has not.
	Ended time.Time `json:"ended,omitzero"`
}

// complete fills in what the caller need not know.
func (i *Info) complete(seed int64) {
	i.Format, i.Seed = FormatVersion, seed
	if i.Git == "" {
		i.Git = Revision()
	}
	if i.Go == "" {
		i.Go = runtime.Version()
	}
	if i.Started.IsZero() {
		i.Started = time.Now()
	}
	i.Started = stamp(i.Started)
}

// stamp rounds a time to what run.json keeps: seconds, in UTC.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// write writes the info as indented JSON.
func (i *Info) write(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(i)
}

// parseInfo reads what write wrote.
func parseInfo(text []byte) (Info, error) {
	var info Info
	err := json.NewDecoder(bytes.NewReader(text)).Decode(&info)
	return info, err
}

// Revision returns the commit the program was built from, with "-dirty" behind it
// if the working tree had changes, or "" if the build does not know.
func Revision() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return revision(build.Settings)
}

func revision(settings []debug.BuildSetting) string {
	values := map[string]string{}
	for _, s := range settings {
		values[s.Key] = s.Value
	}
	commit := values["vcs.revision"]
	if commit != "" && values["vcs.modified"] == "true" {
		commit += "-dirty"
	}
	return commit
}
