package train_test

import (
	"context"
	"fmt"
	"log"
	"os"

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
	fmt.Println(result.Evaluation) // top-1 93.12 %

	trained, err := train.Open(ctx, "runs/train", "", "")
	if err != nil {
		log.Fatal(err)
	}
	defer trained.Close()
	if err := trained.Network.Export("model.pt", "my version", trained.Score); err != nil {
		log.Fatal(err)
	}
}

// What a run needs is checked before anything is made.
func ExampleTrain() {
	_, err := train.Train(context.Background(), train.Job{Config: config.Default(), Out: "runs/train"})
	fmt.Println(err)
	// Output: invalid configuration: train.genotype is empty; name a preset ([spikedhs-cla-n3 spikedhs-cla-n4]) or a genotype.json of a search with --genotype
}
