package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// plain replaces the narrow spaces, for readable tests.
func plain(text string) string { return strings.ReplaceAll(text, narrow, " ") }

func TestNumbers(t *testing.T) {
	assert.Equal(t, "91.30 %", plain(percent(91.3)))
	assert.Equal(t, "1 234 567", plain(grouped(1234567)))
	assert.Equal(t, "-1 000", plain(grouped(-1000)))
	assert.Equal(t, "999", grouped(999))
	assert.Equal(t, "14.03 M", plain(short(14_029_870)))
	assert.Equal(t, "45.6 k", plain(short(45_600)))
	assert.Equal(t, "9 999", plain(short(9999)))
	assert.Equal(t, "0.01746", significant(0.017461))
	assert.Equal(t, "12.3", significant(12.3))
	assert.Equal(t, "212", significant(211.7))
	assert.Equal(t, "12 346", plain(significant(12345.6)))
	assert.Equal(t, "2e-07", significant(2e-7))
}

func TestDuration(t *testing.T) {
	for seconds, want := range map[float64]string{
		0.04: "0.0 s", 12.34: "12.3 s", 59.94: "59.9 s", 59.97: "1 min 0 s", 252: "4 min 12 s", 3599.6: "1 h 0 min",
		5430: "1 h 30 min", 47 * 3600: "47 h 0 min", 200_000: "2 d 7 h",
	} {
		assert.Equal(t, want, plain(duration(seconds)), seconds)
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[float64]string{
		12: "12 B", 345_678: "337.6 KiB", 1023 << 20: "1.00 GiB", 900 << 20: "900 MiB", 1.5 * (1 << 30): "1.50 GiB",
	} {
		assert.Equal(t, want, plain(bytesIn(n)), n)
	}
}

func TestCommandLine(t *testing.T) {
	assert.Equal(t, `spikedhs train --set 'run.name=two words' '' 'it'\''s'`,
		commandLine([]string{"spikedhs", "train", "--set", "run.name=two words", "", "it's"}))
}

func TestPlural(t *testing.T) {
	assert.Equal(t, "1 epoch", plural(1, "epoch"))
	assert.Equal(t, "0 epochs", plural(0, "epoch"))
}
