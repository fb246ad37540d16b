// Command neuron drives four spiking neurons with constant currents and prints
// when they fire and how the surrogate gradient reaches the currents.
//
//	. build/env && go run ./examples/neuron
package main

import (
	"fmt"
	"log"

	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

func main() {
	const steps, neurons = 6, 4
	s := torch.NewScope()
	defer s.Close()

	// Time is the slowest dimension: steps * batch rows, one column a neuron.
	currents := make([]float32, 0, steps*neurons)
	for range steps {
		currents = append(currents, 0.3, 0.45, 0.6, 0.9)
	}
	current := torch.FromSlice(s, currents, steps, neurons)
	if err := torch.RequireGradient(current, true); err != nil {
		log.Fatal(err)
	}
	temperature := torch.FromSlice(s, []float32{spike.DefaultTemperature}, 1)
	spikes := spike.Default().Fire(s, current, temperature, steps)
	gradient := s.GradientOf(s.Sum(spikes), []torch.Tensor{current})
	if err := s.Err(); err != nil {
		log.Fatal(err)
	}
	fired, err := torch.ToSlice[float32](spikes)
	if err != nil {
		log.Fatal(err)
	}
	slope, err := torch.ToSlice[float32](gradient[0])
	if err != nil {
		log.Fatal(err)
	}
	for n := range neurons {
		fmt.Printf("I = %.2f  spikes ", currents[n])
		for t := range steps {
			fmt.Print(map[bool]string{true: "|", false: "."}[fired[t*neurons+n] == 1])
		}
		fmt.Printf("  d(spikes)/dI at the first step %.3f\n", slope[n])
	}
}
