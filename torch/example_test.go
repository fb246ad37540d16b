package torch_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/spikedhs/spikedhs/torch"
)

// Fit y = 2x + 1 with a linear layer: variables live as long as the network,
// everything else as long as the scope of one step.
func Example() {
	defer torch.Pin()()
	network := torch.NewVariables(torch.CPU())
	defer network.Close()
	layer := torch.NewLinear(network.Root().Sub("layer"), 1, 1)
	if err := network.Err(); err != nil {
		log.Fatal(err)
	}
	optimizer, err := torch.NewSGD(torch.CPU(), network.Parameters(), torch.SGDOptions{Rate: 0.1, Momentum: 0.8})
	if err != nil {
		log.Fatal(err)
	}
	defer optimizer.Close()

	for range 200 {
		s := torch.NewScope()
		x := torch.FromSlice(s, []float32{-1, 0, 1, 2}, 4, 1)
		y := torch.FromSlice(s, []float32{-1, 1, 3, 5}, 4, 1)
		difference := s.Sub(layer.Forward(s, x), y)
		loss := s.Mean(s.Mul(difference, difference))
		optimizer.Step(s, s.GradientOf(loss, []torch.Tensor{layer.Weight, layer.Bias}))
		if err := s.Close(); err != nil { // the first error of the step, if any
			log.Fatal(err)
		}
	}

	weight, _ := torch.Item(layer.Weight)
	bias, _ := torch.Item(layer.Bias)
	fmt.Printf("y = %.2f x + %.2f\n", weight, bias)
	// Output: y = 2.00 x + 1.00
}

func ExampleScope() {
	before := torch.LiveTensors()
	s := torch.NewScope()
	a := torch.FromSlice(s, []float32{1, 2, 3, 4}, 2, 2)
	product := s.Matmul(a, a)
	if err := s.Err(); err != nil { // one check after many operators
		fmt.Println(err)
		return
	}
	values, err := torch.ToSlice[float32](product)
	fmt.Println(values, err)

	s.Close() // frees a and product
	_, err = torch.Shape(product)
	fmt.Println(errors.Is(err, torch.ErrClosed), torch.LiveTensors()-before)
	// Output:
	// [7 10 15 22] <nil>
	// true 0
}

// A function makes its temporaries in a child scope and returns its result
// into the caller's.
func ExampleScope_Child() {
	norm := func(s *torch.Scope, x torch.Tensor) torch.Tensor {
		c := s.Child()
		defer c.Close()
		return c.Return(c.Tensor("aten::sqrt", c.Sum(c.Mul(x, x))))
	}
	s := torch.NewScope()
	defer s.Close()
	fmt.Println(s.Item(norm(s, torch.FromSlice(s, []float32{3, 4}, 2))), s.Err())
	// Output: 5 <nil>
}

// Any operator of libtorch is called by its schema name: arguments in the
// schema's order, or by name.
func ExampleScope_Call() {
	s := torch.NewScope()
	defer s.Close()
	x := torch.FromSlice(s, []float32{3, 9, 4, 1, 2, 8}, 2, 3)
	results := s.Call("aten::max.dim", x, 1, torch.Named{Name: "keepdim", Value: false})
	if err := s.Err(); err != nil {
		fmt.Println(err)
		return
	}
	values, _ := torch.ToSlice[float32](results[0].(torch.Tensor))
	indices, _ := torch.ToSlice[int64](results[1].(torch.Tensor))
	fmt.Println(values, indices)

	s.Call("aten::max.dim", x, 7)
	fmt.Println(s.Err() != nil)
	// Output:
	// [9 8] [1 2]
	// true
}
