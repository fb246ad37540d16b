package train_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// The whole way from images to an exported model. (It takes hours at the size of
// the paper, so it is not run here.)
func Example() {
	ctx := context.Background()
	c, err := config.Load("fashion-mnist", nil)
	if err != nil {
		log.Fatal(err)
	}
	progress := run.NewProgress(os.Stderr)
	found, err := train.Search(ctx, train.Job{Config: c, Out: "runs/search", Progress: progress})
	if err != nil {
		log.Fatal(err)
	}
	c.Train.Genotype = found.Folder.Path(run.GenotypeFile)
	result, err := train.Train(ctx, train.Job{Config: c, Out: "runs/train", Progress: progress})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("top-1 %.2f %%\n", result.Evaluation.Top1)

	trained, err := train.Open(ctx, "runs/train", "", "")
	if err != nil {
		log.Fatal(err)
	}
	defer trained.Close()
	if err := trained.Export("model.pt", "my version", trained.Top1); err != nil {
		log.Fatal(err)
	}
}

// An exported model needs nothing but itself.
func ExampleLoadModel() {
	model, err := train.LoadModel("model.pt", torch.CPU())
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

// What a run needs is checked before anything is made.
func ExampleTrain() {
	_, err := train.Train(context.Background(), train.Job{Config: config.Default(), Out: "runs/train"})
	fmt.Println(err)
	// Output: invalid configuration: train.genotype is empty; name a preset ([spikedhs-cla-n3 spikedhs-cla-n4]) or a genotype.json with --genotype
}
