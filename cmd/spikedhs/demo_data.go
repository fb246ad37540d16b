package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// haveData makes sure that both splits of the data set are there. Where they are not
// it fetches them if --fetch or the answer to a question says so.
func (d *demo) haveData(cfg *config.Config) error {
	missing := located(cfg)
	if !errors.Is(missing, data.ErrNotFound) || !data.Fetchable(cfg.Data.Name) {
		return missing
	}
	dir := cmp.Or(cfg.Data.Path, data.DefaultDir())
	wanted, err := d.asked(cfg.Data.Name, dir)
	switch {
	case err != nil:
		return err
	case !wanted:
		return fmt.Errorf("%w; or add --fetch to this command", missing)
	}
	if _, err := fetch(d.c, d.console, cfg.Data.Name, dir); err != nil {
		return err
	}
	return located(cfg)
}

// located says which split of the configured data set is missing, nil if none is.
func located(cfg *config.Config) error {
	for _, split := range []data.Split{data.Train, data.Test} {
		if _, err := data.Locate(cfg.Data.Name, cfg.Data.Path, split); err != nil {
			return err
		}
	}
	return nil
}

// asked asks whether to fetch a data set into dir, where someone can answer and --fetch
// does not say it.
func (d *demo) asked(name, dir string) (yes bool, err error) {
	if d.c.Bool("fetch") {
		return true, nil
	}
	in, ok := d.c.App.Reader.(*os.File)
	if !ok || d.json || !run.IsTerminal(in) || !d.progress.Terminal {
		return false, nil
	}
	return agreed(d.c.Context, in, d.c.App.ErrWriter, fmt.Sprintf("%s is not on this machine. Fetch it (%.0f MB) into %s?",
		name, float64(data.FetchSize(name))/1e6, dir))
}

// agreed puts a question and reads the answer. An empty line is a yes, the end of the
// input is none. The end of ctx, as by Ctrl-C, ends the waiting.
func agreed(ctx context.Context, in io.Reader, out io.Writer, question string) (yes bool, err error) {
	fmt.Fprintf(out, "%s [Y/n] ", question)
	answer := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
		if err != nil {
			line = "no"
		}
		answer <- line
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(out)
		return false, ctx.Err()
	case line := <-answer:
		return slices.Contains([]string{"", "y", "yes"}, strings.ToLower(strings.TrimSpace(line))), nil
	}
}
