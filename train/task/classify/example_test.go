package classify_test

import (
	"fmt"
	"log"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// An exported model needs nothing but itself.
func ExampleLoadModel() {
	model, err := classify.LoadModel("model.pt", torch.CPU())
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	image := make([]float32, model.Info.Channels*model.Info.Height*model.Info.Width) // 0..1
	guesses, err := model.Classify(image)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(guesses[0][0].Class, guesses[0][0].Probability)
}
