package dgs_test

import (
	"context"
	"fmt"

	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// twoLayers is a spiking network that knows nothing of cells and genotypes.
type twoLayers struct {
	variables      *torch.Variables
	hidden, output *dgs.Layer
}

func newTwoLayers(steps int) *twoLayers {
	n := &twoLayers{variables: torch.NewVariables(torch.CPU())}
	layer := func(name string, in, out int64) *dgs.Layer {
		p := n.variables.Root().Sub(name)
		weights := torch.NewLinear(p, in, out)
		neurons := spike.NewNeurons(p.Sub("neurons"), spike.Default(), spike.DefaultTemperature)
		return dgs.NewLayer(name, neurons, steps, []torch.Tensor{weights.Weight, weights.Bias},
			func(s *torch.Scope, w []torch.Tensor, x ...torch.Tensor) torch.Tensor {
				return s.Tensor("aten::linear", x[0], w[0], w[1])
			})
	}
	n.hidden, n.output = layer("hidden", 4, 16), layer("output", 16, 2)
	return n
}

// loss is the cross entropy of the mean rates of the output neurons.
func (n *twoLayers) loss(s *torch.Scope, x, labels torch.Tensor, steps int) torch.Tensor {
	y := n.output.Forward(s, n.hidden.Forward(s, s.RepeatFirst(x, steps)))
	rates := s.MeanOver(s.Reshape(y, int64(steps), -1, 2), 0)
	return s.CrossEntropy(rates, labels)
}

// A user's own network: its hidden layer's surrogate is searched on random batches.
func Example() {
	const steps = 3
	if err := torch.Seed(1); err != nil {
		fmt.Println(err)
		return
	}
	net := newTwoLayers(steps)
	defer net.variables.Close()
	if err := net.variables.Err(); err != nil {
		fmt.Println(err)
		return
	}
	batches := func(_ context.Context, s *torch.Scope, i int) (dgs.Loss, error) {
		x := s.Randn(torch.CPU(), 32, 4)
		sign := s.Tensor("aten::gt.Scalar", s.Tensor("aten::sum.dim_IntList", x, []int64{1}), 0.0)
		labels := s.Cast(sign, torch.Int64)
		return func(s *torch.Scope) torch.Tensor { return net.loss(s, x, labels, steps) }, s.Err()
	}
	results, err := dgs.Search(context.Background(), []*dgs.Layer{net.hidden}, batches,
		dgs.Options{Iterations: 20, LearningRate: 0.1})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := results[0]
	fmt.Println(r.Layer, len(r.Temperatures), "candidates, moved by at most 0.4:", r.After-r.Before >= -0.41 && r.After-r.Before <= 0.41)
	// Output: hidden 5 candidates, moved by at most 0.4: true
}
