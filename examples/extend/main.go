// Command extend searches and trains with an operation and a data set of its own: a module
// outside of SpikeDHS, with nothing changed there. docs/extending.md explains it.
//
//	go mod tidy && . ../../build/env && go run . runs
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

var settings = []string{
	"run.device=cpu", "data.name=shapes", "data.pad=0",
	"network.nodes=2", "network.levels=[0, 1]", "network.steps=2", "network.downsample=nearest", "network.surrogate=go:bell",
	`search.operations=["skip_connect", "snn_b3", "dw_5x5"]`,
	"search.epochs=2", "search.warmup_epochs=1", "search.batch=20", "search.width=4", "search.alpha_lr=0.05",
	"train.width=4", "train.epochs=4", "train.batch=20", "train.lr=0.1",
	"train.auxiliary_weight=0", "train.cutout=0", "train.crop_padding=0",
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: extend FOLDER")
	}
	if err := extend(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func extend(ctx context.Context, out string) error {
	c, err := config.Load("", settings)
	if err != nil {
		return err
	}
	found, err := train.Search(ctx, train.Job{Config: c, Out: filepath.Join(out, "search")})
	if err != nil {
		return err
	}
	fmt.Print(genotype.Text(found.Genotype))

	c.Train.Genotype = found.Folder.Path(run.GenotypeFile)
	result, err := train.Train(ctx, train.Job{Config: c, Out: filepath.Join(out, "train")})
	if err != nil {
		return err
	}
	trained, err := train.Open(ctx, result.Folder.Dir(), "", "")
	if err != nil {
		return err
	}
	defer trained.Close()
	if err := trained.Network.Export(result.Folder.Path(run.ModelFile), "extend", trained.Score); err != nil {
		return err
	}
	fmt.Println(result.Evaluation, "on the test pictures")
	return nil
}
