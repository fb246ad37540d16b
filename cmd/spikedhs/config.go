package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/configs"
	"github.com/spikedhs/spikedhs/train/config"
)

func configCommand() *cli.Command {
	return group("config", "show configurations",
		command("print", "print the configuration that the flags make, every key with its meaning", printConfig, configFlags()),
		command("list", "list the presets", listPresets, nil),
		command("keys", "print the reference of all keys, in Markdown", func(c *cli.Context) error {
			return config.WriteReference(c.App.Writer)
		}, nil))
}

func printConfig(c *cli.Context) error {
	cfg, err := loadConfig(c, "")
	if err != nil {
		return err
	}
	return cfg.Encode(c.App.Writer)
}

func listPresets(c *cli.Context) error {
	for _, name := range configs.Names() {
		text, err := configs.Read(name)
		if err != nil {
			return err
		}
		title, _, _ := strings.Cut(strings.TrimLeft(string(text), "# "), "\n") // the first line
		fmt.Fprintf(c.App.Writer, "%-20s  %s\n", name, strings.TrimSuffix(strings.TrimSpace(title), "."))
	}
	return nil
}
