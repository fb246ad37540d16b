package graph

import (
	"testing"

	"github.com/spikedhs/spikedhs/torch/torchtest"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

var begin, read = torchtest.Begin, torchtest.Read[float64]
