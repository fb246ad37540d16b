package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
)

// The side of recordings is that of their steps, else of the stated sensor, else of
// the data set's.
func TestSideOfRecordings(t *testing.T) {
	c := Default()
	c.Data.Name = "n-mnist"
	assert.Equal(t, 34, data.Side(c.Data.Name, c.Data.Size, c.Data.Sensor))
	c.Data.Sensor = []int{20, 18}
	assert.Equal(t, 18, data.Side(c.Data.Name, c.Data.Size, c.Data.Sensor))
	c.Data.Size = 16
	assert.Equal(t, 16, data.Side(c.Data.Name, c.Data.Size, c.Data.Sensor))
	require.NoError(t, c.Validate())
	c.Train.Cutout = 17
	assert.Contains(t, requireInvalid(t, c.Validate()), "must not exceed the images' side of 16 pixels")

	// A folder of recordings says it later.
	c = Default()
	c.Data.Name, c.Train.Cutout = "event-folder", 500
	assert.NoError(t, c.Validate())
}

func TestEventKeys(t *testing.T) {
	for want, change := range map[string]func(*Config){
		`data.sensor = [34]: allowed is [] or [width, height]`:   func(c *Config) { c.Data.Sensor = []int{34} },
		`data.sensor = [34, 0]: allowed is`:                      func(c *Config) { c.Data.Sensor = []int{34, 0} },
		`data.events = "x": allowed is time or count`:            func(c *Config) { c.Data.Events = "x" },
		`data.stack = "x": allowed is binary, counts or ternary`: func(c *Config) { c.Data.Stack = "x" },
		`data.size = -1: allowed is 0 to 4096`:                   func(c *Config) { c.Data.Size = -1 },
		`data.columns = "ptxy": allowed is auto, xytp or txyp`:   func(c *Config) { c.Data.Columns = "ptxy" },
		`network.levels = [0 1 2 3]: level 3 leaves nothing of images`: func(c *Config) {
			c.Data.Name, c.Data.Size, c.Train.Cutout, c.Network.Levels = "n-mnist", 4, 0, []int{0, 1, 2, 3}
		},
	} {
		c := Default()
		change(c)
		assert.Contains(t, requireInvalid(t, c.Validate()), want)
	}
	for _, setting := range []string{"data.sensor=[346, 260]", "data.events=count", "data.stack=ternary"} {
		_, err := Load("cifar10-dvs", []string{setting})
		assert.NoError(t, err, setting)
	}
}
