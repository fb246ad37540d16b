package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/train/run"
)

// sameRun requires that two runs left the same numbers and weights.
func sameRun(t *testing.T, a, b string) {
	t.Helper()
	require.Equal(t, metrics(t, a), metrics(t, b))
	require.True(t, bytes.Equal(checkpoint(t, a), checkpoint(t, b)), "the checkpoints differ")
}

func metrics(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, run.MetricsFile))
	require.NoError(t, err)
	require.NotEmpty(t, text)
	return regexp.MustCompile(`,"wall":\{.*`).ReplaceAllString(string(text), "}")
}

func checkpoint(t *testing.T, dir string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, run.CheckpointDir, "last.safetensors"))
	require.NoError(t, err)
	return content
}

func TestOneSeedIsOneTraining(t *testing.T) {
	inWorkFolder(t)
	trained(t, "a", "--seed", "3")
	trained(t, "b", "--seed", "3")
	trained(t, "c", "--seed", "4")
	sameRun(t, "a", "b")
	require.NotEqual(t, metrics(t, "a"), metrics(t, "c"))
	require.NotEqual(t, checkpoint(t, "a"), checkpoint(t, "c"))
}

func TestOneSeedIsOneSearch(t *testing.T) {
	inWorkFolder(t)
	search := func(dir string, more ...string) {
		done(t, append([]string{"search", "--config", "tiny.toml", "--out", dir}, more...)...)
	}
	search("a")
	search("b", "--max-steps", "7") // in the second epoch, which trains alpha, too
	require.NotEqual(t, metrics(t, "a"), metrics(t, "b"))
	done(t, "search", "--out", "b", "--resume")
	sameRun(t, "a", "b")
	one, err := os.ReadFile(filepath.Join("a", run.GenotypeFile))
	require.NoError(t, err)
	two, err := os.ReadFile(filepath.Join("b", run.GenotypeFile))
	require.NoError(t, err)
	require.Equal(t, string(one), string(two))
}

func TestMaxSteps(t *testing.T) {
	inWorkFolder(t)
	trained(t, "whole")
	r := done(t, "train", "--config", "tiny.toml", "--set", "train.epochs=1", "--out", "part", "--max-steps", "13", "--json")
	v := object(t, r)
	require.EqualValues(t, 13, v["steps"])
	require.Equal(t, false, v["ended"])
	require.NotContains(t, v, "top1")
	require.Positive(t, number(t, v, "first_loss"))
	v = object(t, done(t, "train", "--resume", "--out", "part", "--max-steps", "20", "--json")) // all steps, no evaluation
	require.EqualValues(t, 20, v["steps"])
	require.Equal(t, false, v["ended"])
	v = object(t, done(t, "train", "--resume", "--out", "part", "--json"))
	require.Equal(t, true, v["ended"])
	sameRun(t, "whole", "part")
}

func TestLossFalls(t *testing.T) {
	inWorkFolder(t)
	r := done(t, "train", "--config", "tiny.toml", "--out", "run", "--max-steps", "50", "--json",
		"--set", "train.epochs=10", "--set", "train.width=6", "--set", "train.crop_padding=0", "--set", "train.flip=false")
	v := object(t, r)
	require.Less(t, number(t, v, "last_loss"), number(t, v, "first_loss"))
}

func TestInterruptAndResume(t *testing.T) {
	inWorkFolder(t)
	args := []string{"train", "--config", "tiny.toml", "--set", "train.epochs=4"}
	done(t, append(args, "--out", "whole")...)

	c := program(t, append(args, "--out", "part")...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	require.NoError(t, c.Start())
	defer c.Process.Kill()
	await(t, filepath.Join("part", run.MetricsFile), "train_epoch")
	require.NoError(t, c.Process.Signal(os.Interrupt))
	err := c.Wait()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "it ended before the interrupt")
	require.Equal(t, exitInterrupted, exit.ExitCode(), stderr.String())
	require.Regexp(t, `(?m)^spikedhs: part: interrupted; a checkpoint was saved, continue with --resume\n\z`, stderr.String())
	require.NotEqual(t, metrics(t, "whole"), metrics(t, "part"))

	done(t, "train", "--out", "part", "--resume")
	sameRun(t, "whole", "part")
}

func TestSecondInterruptEndsAtOnce(t *testing.T) {
	inWorkFolder(t)
	// Steps of many seconds: the first interrupt waits for the end of one.
	c := program(t, "train", "--config", "tiny.toml", "--out", "part", "--set", "train.width=96", "--set", "train.batch=150")
	require.NoError(t, c.Start())
	defer c.Process.Kill()
	await(t, filepath.Join("part", run.MetricsFile), "")
	require.NoError(t, c.Process.Signal(syscall.SIGTERM))
	time.Sleep(200 * time.Millisecond)
	if c.Process.Signal(syscall.SIGTERM) != nil {
		t.Skip("the step was over before the second signal")
	}
	_ = c.Wait()
	status, ok := c.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	if status.Exited() && status.ExitStatus() == exitInterrupted {
		t.Skip("the step was over before the second signal")
	}
	require.True(t, status.Signaled())
	require.Equal(t, syscall.SIGTERM, status.Signal())
}

// await waits until a file is there and holds text.
func await(t *testing.T, path, text string) {
	t.Helper()
	require.Eventually(t, func() bool {
		content, err := os.ReadFile(path)
		return err == nil && bytes.Contains(content, []byte(text))
	}, 60*time.Second, 5*time.Millisecond)
}

func TestGenotypeDecidesNodes(t *testing.T) {
	inWorkFolder(t)
	args := []string{
		"train", "--config", "tiny.toml", "--out", "run", "--genotype", "spikedhs-cla-n3", "--set", "network.nodes=4",
		"--set", "network.downsample=reduction", "--set", "network.levels=[0, 0, 1, 1, 1, 2, 2, 2]", "--max-steps",
	}
	done(t, append(args, "1")...)
	done(t, append(args, "2", "--resume")...)
	done(t, "train", "--resume", "--out", "run", "--set", "network.tau=0.2", "--max-steps", "3")
	refused(t, append(args, "4", "--resume", "--set", "train.lr=0.7"), "train.lr")
	folder, err := run.Open("run")
	require.NoError(t, err)
	require.Equal(t, 3, folder.Config().Network.Nodes)
	require.Equal(t, "nearest", folder.Config().Network.Downsample)
	require.Equal(t, "spikedhs-cla-n3", folder.Config().Train.Genotype)
}

// imageFolder writes class folders of small PNG files into the folder photos, one of
// them damaged.
func imageFolder(t *testing.T) {
	t.Helper()
	for _, split := range []string{"train", "val"} {
		for k := range 24 {
			img := image.NewRGBA(image.Rect(0, 0, 12, 10))
			for i := range 120 {
				img.SetRGBA(i%12, i/12, color.RGBA{uint8(80 * (k % 3)), uint8(2 * i), 60, 255})
			}
			var file bytes.Buffer
			require.NoError(t, png.Encode(&file, img))
			if split == "train" && k == 7 {
				file.Truncate(60)
			}
			dir := filepath.Join("photos", split, fmt.Sprintf("kind%d", k%3))
			require.NoError(t, os.MkdirAll(dir, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.png", k)), file.Bytes(), 0o644))
		}
	}
}

func TestImageFolder(t *testing.T) {
	inWorkFolder(t)
	imageFolder(t)
	r := done(t, "data", "info", "image-folder", "--dir", "photos", "--size", "16", "--verify", "--sheet", "sheet.png")
	for _, text := range []string{
		"24 training and 24 test images of 3 x 16 x 16, 3 classes: kind0, kind1, kind2",
		"48 files decoded, 1 of them cannot be read", filepath.Join("photos", "train", "kind1", "07.png") + ": bad data format", "sheet.png",
	} {
		require.Contains(t, r.stdout, text)
	}
	file, err := os.Open("sheet.png")
	require.NoError(t, err)
	defer file.Close()
	sheet, err := png.DecodeConfig(file)
	require.NoError(t, err)
	require.Equal(t, [2]int{8*20 - 4, 3*20 - 4}, [2]int{sheet.Width, sheet.Height})

	v := object(t, done(t, "data", "info", "image-folder", "--dir", "photos", "--verify", "--json"))
	require.Len(t, v["corrupt"], 1)
	refused(t, []string{"data", "info", "--verify"}, "want the name of a data set")
	refused(t, []string{"data", "info", "fashion-mnist", "--dir", "images", "--verify"}, "has no image files")
	refused(t, []string{"data", "info", "imagenet", "--dir", "nowhere"}, "nowhere", "image-net.org")
	refused(t, []string{"data", "fetch", "imagenet"}, "image-net.org")

	train := []string{"train", "--config", "tiny.toml", "--set", "train.epochs=1", "--set", "data.pad=0", "--set", "data.name=image-folder",
		"--set", "data.path=photos", "--set", "data.size=16", "--out", "run"}
	strict := spikedhs(t, train...)
	require.Equal(t, exitUsage, strict.code)
	require.Contains(t, strict.stderr, "data.max_corrupt = 0.01 allows, such as "+filepath.Join("photos", "train", "kind1", "07.png"))
	require.NoError(t, os.RemoveAll("run"))
	trained := done(t, append(train, "--set", "data.max_corrupt=0.05")...)
	require.Contains(t, trained.stderr, filepath.Join("photos", "train", "kind1", "07.png"))
	done(t, "export", "--run", "run", "--check")
	require.Contains(t, done(t, "infer", "--model", "run/model.pt", "--dataset", "image-folder", "--dir", "photos", "--index", "0-3").stdout, "kind0")

	rows := done(t, "bench", "loader", "--dir", "photos", "--size", "16", "--files", "6", "--batch", "2", "--repeats", "1")
	require.Contains(t, rows.stdout, "loader, all cores")
}
