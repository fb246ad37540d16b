package configs_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/configs"
	"github.com/spikedhs/spikedhs/train/config"
)

func TestNames(t *testing.T) {
	assert.Equal(t, []string{
		"cifar10-dvs", "cifar10-n3", "cifar10-n4", "cifar10-paper", "cifar10-reference", "cifar100-n3", "cifar100-n4", "cifar100-paper",
		"fashion-mnist", "fashion-mnist-demo", "imagenet-paper", "mvsec-paper", "n-mnist", "stereo-synthetic", "stereo-synthetic-full",
	}, configs.Names())
}

func TestReadUnknown(t *testing.T) {
	for _, name := range []string{"cifar11", "", "../configs/cifar10-paper", "cifar10-paper.toml"} {
		_, err := configs.Read(name)
		assert.ErrorIs(t, err, fs.ErrNotExist, name)
		assert.ErrorContains(t, err, "cifar10-paper", name)
	}
}

func TestEveryPresetLoads(t *testing.T) {
	for _, name := range configs.Names() {
		t.Run(name, func(t *testing.T) {
			c, err := config.Load(name, nil)
			require.NoError(t, err)
			assert.NoError(t, c.Validate())
		})
	}
}

func TestEveryPresetIsCommented(t *testing.T) {
	for _, name := range configs.Names() {
		t.Run(name, func(t *testing.T) {
			text, err := configs.Read(name)
			require.NoError(t, err)
			head, _, _ := strings.Cut(string(text), "\n\n")
			assert.Contains(t, head, "# Source: ")
			assert.Contains(t, head, "# Purpose: ")
			previous := ""
			for i, line := range strings.Split(string(text), "\n") {
				if strings.Contains(line, " = ") && !strings.HasPrefix(line, "#") {
					assert.True(t, strings.HasPrefix(previous, "# "), "line %d, %s, has no comment above it", i+1, line)
				}
				previous = line
			}
		})
	}
}

// values are what a preset is there for, by key and as TOML.
var values = map[string]map[string]string{
	"cifar10-paper": {
		"data.name": `"cifar10"`, "network.nodes": "4", "network.downsample": `"reduction"`, "network.steps": "6",
		"search.epochs": "50", "search.warmup_epochs": "15", "search.batch": "50", "search.lr": "0.025",
		"search.lr_min": "0.0", "search.weight_decay": "0.0003", "search.clip": "5.0", "search.alpha_lr": "0.001",
		"train.width": "48", "train.epochs": "100", "train.cutout": "16", "train.auxiliary_weight": "0.4",
	},
	"cifar100-paper": {"data.name": `"cifar100"`, "network.nodes": "4", "train.width": "48", "train.epochs": "100"},
	"cifar10-reference": {
		"network.nodes": "3", "network.downsample": `"nearest"`, "network.bn": `"per-step"`, "search.width": "8",
		"search.warmup_epochs": "0", "search.batch": "100", "search.lr": "0.4", "search.lr_min": "0.001",
		"train.genotype": `"spikedhs-cla-n3"`, "train.width": "48",
	},
	"cifar10-n3":  {"data.name": `"cifar10"`, "network.nodes": "3", "train.genotype": `"spikedhs-cla-n3"`, "train.width": "48"},
	"cifar10-n4":  {"data.name": `"cifar10"`, "network.nodes": "4", "train.genotype": `"spikedhs-cla-n4"`, "train.width": "36"},
	"cifar100-n3": {"data.name": `"cifar100"`, "network.nodes": "3", "train.genotype": `"spikedhs-cla-n3"`, "train.width": "48"},
	"cifar100-n4": {"data.name": `"cifar100"`, "network.nodes": "4", "train.genotype": `"spikedhs-cla-n4"`, "train.width": "36"},
	"imagenet-paper": {
		"data.name": `"imagenet"`, "network.nodes": "4", "network.stem_strides": "[2, 2]", "network.steps": "6",
		"network.levels": "[0, 0, 1, 1, 1, 2, 2, 2, 3, 3]", "train.width": "48", "train.batch": "160", "train.epochs": "100",
	},
	"mvsec-paper": {
		"data.name": `"stereo"`, "stereo.split": `"1"`, "stereo.max_disparity": "63", "train.milestones": "[50, 100, 150]", "train.decay": "0.5", "train.optimizer": `"adam"`,
		"search.epochs": "12", "search.warmup_epochs": "3", "search.width": "4", "search.lr": "0.002", "train.width": "8", "train.epochs": "200",
		"train.lr": "0.001", "train.batch": "2", "train.genotype": `"spikedhs-stereo"`,
	},
	"fashion-mnist":      {"network.steps": "4", "train.width": "24", "train.epochs": "30", "data.pad": "2"},
	"fashion-mnist-demo": {"network.levels": "[1, 2, 2]", "train.flip": "false", "data.name": `"fashion-mnist"`, "data.pad": "2"},
}

func TestPresetValues(t *testing.T) {
	for name, want := range values {
		c, err := config.Load(name, nil)
		require.NoError(t, err)
		for key, value := range want {
			got, ok := c.Value(key)
			assert.True(t, ok, key)
			assert.Equal(t, value, got, "%s in %s", key, name)
		}
	}
}

func TestPaperPresetsDifferInTheDataOnly(t *testing.T) {
	ten, err := config.Load("cifar10-paper", nil)
	require.NoError(t, err)
	hundred, err := config.Load("cifar100-paper", nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"data.name"}, config.Diff(ten, hundred))
}
