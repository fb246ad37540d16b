// Command train searches a small architecture on Fashion-MNIST and trains it,
// through the packages instead of the command line.
//
//	. build/env && go run ./examples/train
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := searchAndTrain(ctx, "runs/example"); err != nil {
		log.Fatal(err)
	}
}

func searchAndTrain(ctx context.Context, out string) error {
	c, err := config.Load("fashion-mnist-demo", []string{"search.images=1000", "data.train_images=5000"})
	if err != nil {
		return err
	}
	progress := run.NewProgress(os.Stderr)
	found, err := train.Search(ctx, train.Job{Config: c, Out: filepath.Join(out, "search"), Progress: progress})
	if err != nil {
		return err
	}
	fmt.Print(genotype.Text(found.Genotype))

	c.Train.Genotype = found.Folder.Path(run.GenotypeFile)
	result, err := train.Train(ctx, train.Job{Config: c, Out: filepath.Join(out, "train"), Progress: progress})
	if err != nil {
		return err
	}
	fmt.Println(result.Evaluation, "on the test images")

	trained, err := train.Open(ctx, result.Folder.Dir(), "", "")
	if err != nil {
		return err
	}
	defer trained.Close()
	return trained.Network.Export(result.Folder.Path(run.ModelFile), "example", trained.Score)
}
