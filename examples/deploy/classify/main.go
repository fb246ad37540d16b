// Classify names the class of an image of float32 values, in model.pt or model.onnx.
package main

import (
	"encoding/binary"
	"fmt"
	"log"
	"os"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

func main() {
	model, err := classify.LoadModel(os.Args[1], torch.CPU())
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	raw, err := os.ReadFile(os.Args[2])
	pixels := make([]float32, len(raw)/4)
	if _, wrong := binary.Decode(raw, binary.LittleEndian, pixels); err != nil || wrong != nil {
		log.Fatal(err, wrong)
	}
	guesses, err := model.Classify(pixels)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(guesses[0][0].Index)
}
