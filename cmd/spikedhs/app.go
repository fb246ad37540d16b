package main

import (
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

// metadataArgs is where the application keeps its command line.
const metadataArgs = "args"

// newApp returns the program. Commands write results to stdout.
func newApp(args []string, stdout, stderr io.Writer) *cli.App {
	// Without its usual alias -v, which is --verbose here.
	cli.VersionFlag = &cli.BoolFlag{Name: "version", Usage: "print the version", DisableDefaultText: true}
	app := &cli.App{
		Name:        "spikedhs",
		Usage:       "search, train, evaluate and export spiking neural networks",
		Description: "spikedhs demo goes the whole way on Fashion-MNIST; spikedhs doctor checks this machine.",
		Writer:      stdout,
		ErrWriter:   stderr,
		HelpName:    "spikedhs",
		Version:     version,
		// The values of --set hold commas.
		DisableSliceFlagSeparator: true,
		Metadata:                  map[string]any{metadataArgs: args},
		// Errors are printed by execute alone.
		ExitErrHandler: func(*cli.Context, error) {},
		Commands: []*cli.Command{
			searchCommand(), trainCommand(), evalCommand(), exportCommand(), inferCommand(), streamCommand(), demoCommand(),
			reportCommand(), reproduceCommand(), dataCommand(), configCommand(), genotypeCommand(), graphCommand(), benchCommand(),
			doctorCommand(), versionCommand(),
		},
		Action:       helpOrUnknown,
		OnUsageError: flagError,
	}
	finish(app.Commands)
	return app
}

// command does something and takes flags alone.
func command(name, usage string, action cli.ActionFunc, flags []cli.Flag) *cli.Command {
	return &cli.Command{Name: name, Usage: usage, Action: action, Flags: flags}
}

// group is a command that has sub-commands only.
func group(name, usage string, of ...*cli.Command) *cli.Command {
	return &cli.Command{Name: name, Usage: usage, Subcommands: of}
}

// finish gives all commands what they have in common.
func finish(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = flagError
		c.HideHelpCommand = true
		for _, flag := range c.Flags {
			if b, ok := flag.(*cli.BoolFlag); ok {
				b.DisableDefaultText = true // it is always false
			}
		}
		switch {
		case len(c.Subcommands) > 0:
			c.Action = helpOrUnknown
		case c.ArgsUsage == "":
			c.Before = noArguments
		}
		finish(c.Subcommands)
	}
}

// helpOrUnknown is the action of a command that has sub-commands only.
func helpOrUnknown(c *cli.Context) error {
	name, commands := c.Args().First(), c.Command.Subcommands
	if len(commands) == 0 {
		commands = c.App.Commands
	}
	switch {
	case name != "":
	case c.Command.Name == c.App.Name || len(c.Lineage()) <= 2:
		return cli.ShowAppHelp(c)
	default:
		return cli.ShowSubcommandHelp(c)
	}
	var names []string
	for _, known := range commands {
		names = append(names, known.Name)
	}
	if near := nearest(name, names); near != "" {
		return usagef("unknown command %s; did you mean %s?", name, near)
	}
	return usagef("unknown command %s; choose one of %s", name, strings.Join(names, ", "))
}

// flagError makes one line of an error that the flag package found.
func flagError(c *cli.Context, err error, _ bool) error {
	text := err.Error()
	if name, unknown := strings.CutPrefix(text, "flag provided but not defined: -"); unknown {
		name = strings.TrimPrefix(name, "-")
		var names []string
		for _, flag := range c.Command.Flags {
			names = append(names, flag.Names()...)
		}
		text = "unknown flag --" + name
		if near := nearest(name, names); near != "" {
			text += "; did you mean --" + near + "?"
		}
	}
	// Package flag knows one dash only.
	text = strings.NewReplacer("for flag -", "for flag --", "needs an argument: -", "needs an argument: --").Replace(text)
	if c.Command.HelpName != c.App.HelpName {
		text = commandName(c) + ": " + text
	}
	return usagef("%s; see %s --help", text, c.Command.HelpName)
}

// commandName is how the user called the command, without the program.
func commandName(c *cli.Context) string {
	return strings.TrimPrefix(c.Command.HelpName, c.App.HelpName+" ")
}

// noArguments refuses words behind the flags of a command that takes none.
func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("%s: unexpected argument %q; see %s --help", commandName(c), c.Args().First(), c.Command.HelpName)
	}
	return nil
}

// required returns the value of a flag that must be given.
func required(c *cli.Context, flag string) (string, error) {
	value := c.String(flag)
	if value == "" {
		return "", usagef("%s: --%s is missing; see %s --help", commandName(c), flag, c.Command.HelpName)
	}
	return value, nil
}
