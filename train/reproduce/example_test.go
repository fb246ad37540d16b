package reproduce_test

import (
	"fmt"

	"github.com/spikedhs/spikedhs/train/reproduce"
)

// An experiment is data, which a program may look at before it runs anything.
func Example() {
	e, err := reproduce.FindExperiment("table1")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range e.Rows {
		if paper, ok := r.Paper["cifar10"]; ok {
			fmt.Printf("%-5s %s\n", r.Name, paper)
		}
	}
	// Output:
	// n4    94.34 ± 0.06
	// n3    95.35 ± 0.05
	// n4s1  94.68 ± 0.05
	// n3s1  95.36 ± 0.01
	// n3c5  95.50 ± 0.03
	// ann   95.88
}

// ExampleSummarize is how results stand in tables.
func ExampleSummarize() {
	fmt.Println(reproduce.Summarize([]float64{88.1, 88.4, 88.6}))
	// Output: 88.37 ± 0.25
}
