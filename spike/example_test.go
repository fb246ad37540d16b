package spike_test

import (
	"fmt"
	"math"

	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// One neuron over four steps: the leaking membrane reaches the threshold in
// the third step, 0.3, 0.27 + 0.2, 0.423 + 0.1, and starts anew after it.
func ExampleLIF_Fire() {
	s := torch.NewScope()
	defer s.Close()

	const steps = 4
	current := torch.FromSlice(s, []float32{0.3, 0.2, 0.1, 0.1}, steps, 1)
	temperature := s.Full(torch.CPU(), spike.DefaultTemperature)
	neuron := spike.LIF{Tau: 0.9, Threshold: 0.5}
	spikes := neuron.Fire(s, current, temperature, steps)
	if err := s.Err(); err != nil {
		fmt.Println(err)
		return
	}
	values, err := torch.ToSlice[float32](spikes)
	fmt.Println(values, err)
	// Output: [0 0 1 0] <nil>
}

// A surrogate of one's own: the slope of the normal distribution. One step, so the
// gradient of the current is the surrogate itself.
func ExampleRegister() {
	normal, err := spike.Register("normal", func(x, b float64) float64 {
		return b * math.Exp(-math.Pi*b*b*x*x)
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := torch.NewScope()
	defer s.Close()
	current := torch.FromSlice(s, []float32{0.25, 0.5, 0.75, 9}, 1, 4)
	if err := torch.RequireGradient(current, true); err != nil {
		fmt.Println(err)
		return
	}
	neuron := spike.LIF{Tau: 0.2, Threshold: 0.5, Surrogate: normal}
	spikes := neuron.Fire(s, current, s.Full(torch.CPU(), 2), 1)
	gradient, err := torch.ToSlice[float32](s.GradientOf(s.Sum(spikes), []torch.Tensor{current})[0])
	fmt.Printf("%s %.3f %v\n", normal, gradient, err)
	// Output: go:normal [0.912 2.000 0.912 0.000] <nil>
}

// A stream is cut into calls; the State carries the membrane between them.
func ExampleLIF_Stream() {
	s := torch.NewInference()
	defer s.Close()
	temperature := s.Full(torch.CPU(), spike.DefaultTemperature)
	neuron := spike.LIF{Tau: 0.9, Threshold: 0.5}

	var state spike.State
	defer state.Reset()
	for _, current := range []float64{0.3, 0.2, 0.1, 0.1} {
		spikes := neuron.Stream(s, s.Full(torch.CPU(), current, 1, 1), temperature, 1, &state)
		fmt.Print(s.Item(spikes), " ")
	}
	fmt.Println(s.Err())
	// Output: 0 0 1 0 <nil>
}
