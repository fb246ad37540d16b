package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// interspersed moves the flags of a command line in front of its other words, so
// that `spikedhs report RUN --output FILE` works; package cli stops looking for
// flags at the first word that is none. Words behind "--" stay where they are.
func interspersed(app *cli.App, args []string) []string {
	at, commands := 1, app.Commands
	var command *cli.Command
	for at < len(args) {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(args[at]) })
		if i < 0 {
			break
		}
		command, commands = commands[i], commands[i].Subcommands
		at++
	}
	if command == nil || len(commands) > 0 {
		return args
	}
	var flags, words []string
	rest := args[at:]
	for i := 0; i < len(rest); i++ {
		switch word := rest[i]; {
		case word == "--":
			words = append(words, rest[i+1:]...)
			i = len(rest)
		case len(word) < 2 || word[0] != '-':
			words = append(words, word)
		default:
			flags = append(flags, word)
			if takesValue(command, word) && i+1 < len(rest) {
				i++
				flags = append(flags, rest[i])
			}
		}
	}
	line := append(slices.Clone(args[:at]), flags...)
	if len(words) > 0 {
		line = append(append(line, "--"), words...)
	}
	return line
}

// takesValue reports whether the word behind a flag is its value.
func takesValue(command *cli.Command, word string) bool {
	name := strings.TrimLeft(word, "-")
	if strings.Contains(name, "=") {
		return false
	}
	for _, flag := range command.Flags {
		if slices.Contains(flag.Names(), name) {
			documented, ok := flag.(cli.DocGenerationFlag)
			return ok && documented.TakesValue()
		}
	}
	return false
}
