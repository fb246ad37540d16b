package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/configs"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/config"
)

// shellCommands are the commands of a line of a shell: words without their quotes; a
// remark ends the line. Substitutions $(...) and redirections are not followed.
func shellCommands(line string) (commands [][]string) {
	var words []string
	var word strings.Builder
	begun, quote := false, rune(0)
	endWord := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	endCommand := func() {
		endWord()
		if len(words) > 0 {
			commands = append(commands, words)
		}
		words = nil
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, begun = r, true
		case r == ' ':
			endWord()
		case strings.ContainsRune("|&;<>", r):
			endCommand()
		case r == '#' && !begun:
			endCommand()
			return commands
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	endCommand()
	return commands
}

var environmentWord = regexp.MustCompile(`^[A-Z_0-9]+=`)

// programLine is the part of a command that calls this program, or nothing.
func programLine(words []string) []string {
	for len(words) > 0 && environmentWord.MatchString(words[0]) {
		words = words[1:]
	}
	if len(words) == 0 || words[0] != "spikedhs" && words[0] != "bin/spikedhs" {
		return nil
	}
	args := append([]string{"spikedhs"}, words[1:]...)
	for i, word := range args {
		if optional, ok := strings.CutPrefix(word, "[--"); ok { // [--flag value]
			args[i] = "--" + optional
			args[i+1] = strings.TrimSuffix(args[i+1], "]")
		}
		if value, ok := standIns[args[i]]; ok && i+1 < len(args) && standsFor.MatchString(args[i+1]) {
			args[i+1] = value
		}
	}
	return args
}

// Values in place of letters that stand for any, and of a device that this machine need
// not have.
var (
	standIns  = map[string]string{"--seed": "1", "--precision": "auto", "--device": "cpu"}
	standsFor = regexp.MustCompile(`^([A-Z]|cuda(:\d)?)$`)
)

// checkLine parses a command line as the program does, with its checks of values, and
// runs nothing. Hidden flags do not count. Settings must be those of a configuration, and
// presets must exist.
func checkLine(args []string) error {
	app := newApp(args, io.Discard, io.Discard)
	ran := false
	var replace func(commands []*cli.Command)
	replace = func(commands []*cli.Command) {
		for _, c := range commands {
			if replace(c.Subcommands); len(c.Subcommands) == 0 {
				c.Action = func(c *cli.Context) error { ran = true; return checkFlags(c, args) }
			}
		}
	}
	replace(app.Commands)
	err := app.RunContext(context.Background(), interspersed(app, args))
	if err == nil && !ran && !slices.Contains(args, "--help") && len(args) > 2 {
		return fmt.Errorf("no command")
	}
	return err
}

func checkFlags(c *cli.Context, args []string) error {
	var told []string
	for _, f := range c.Command.Flags {
		if visible, ok := f.(cli.VisibleFlag); !ok || visible.IsVisible() {
			told = append(told, f.Names()...)
		}
	}
	for _, word := range args {
		name, _, _ := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		if strings.HasPrefix(word, "--") && !slices.Contains(told, name) {
			return fmt.Errorf("--%s is no flag that the help of the command has", name)
		}
	}
	if g := c.String("genotype"); g != "" && filepath.Ext(g) == "" && !regexp.MustCompile(`^[A-Z]+$`).MatchString(g) {
		if _, err := genotype.Resolve(g); err != nil {
			return err
		}
	}
	source := c.String("config")
	if source == "" || filepath.Ext(source) != "" {
		source = "fashion-mnist"
	}
	sets := slices.DeleteFunc(c.StringSlice("set"), func(s string) bool { return !checkable(s) })
	_, err := config.Load(source, sets)
	return err
}

// checkable tells a setting from a placeholder of one, such as section.key=value.
func checkable(setting string) bool {
	_, value, _ := strings.Cut(setting, "=")
	return setting != "section.key=value" && !regexp.MustCompile(`^[A-Z]$`).MatchString(value)
}

// commandsOf are the command lines of a page that call the program.
func commandsOf(d document) (lines [][]string) {
	text := strings.ReplaceAll(strings.Join(d.code, "\n"), "\\\n", " ")
	all := strings.Split(text, "\n")
	for _, line := range d.lines {
		for _, m := range inlineCode.FindAllStringSubmatch(line, -1) {
			all = append(all, m[1])
		}
	}
	for _, line := range all {
		for _, words := range shellCommands(line) {
			if args := programLine(words); args != nil {
				lines = append(lines, args)
			}
		}
	}
	return lines
}

func TestDocumentsCommands(t *testing.T) {
	count := 0
	for _, d := range documents(t) {
		for _, args := range commandsOf(d) {
			assert.NoError(t, checkLine(args), "%s: %s", d.name, strings.Join(args, " "))
			count++
		}
	}
	assert.Greater(t, count, 100)
}

var flagName = regexp.MustCompile(`^--([a-z][a-z-]*)`)

// visibleFlags are those that the help of some command has.
func visibleFlags(commands []*cli.Command, flags map[string]bool) {
	for _, c := range commands {
		for _, f := range c.Flags {
			if visible, ok := f.(cli.VisibleFlag); !ok || visible.IsVisible() {
				for _, name := range f.Names() {
					flags[name] = true
				}
			}
		}
		visibleFlags(c.Subcommands, flags)
	}
}

// Flags that the prose names are those of some command.
func TestDocumentsFlags(t *testing.T) {
	flags := map[string]bool{}
	visibleFlags(newApp(nil, io.Discard, io.Discard).Commands, flags)
	assert.True(t, flags["genotype"] && !flags["nothing"])
	for _, d := range documents(t) {
		for _, line := range d.lines {
			for _, m := range inlineCode.FindAllStringSubmatch(line, -1) {
				if name := flagName.FindStringSubmatch(m[1]); name != nil {
					assert.True(t, flags[name[1]], "%s: no command has `%s`", d.name, m[1])
				}
			}
		}
	}
}

var settingName = regexp.MustCompile(`^([a-z]+)\.([a-z][a-z0-9_]*)( ?= ?.*)?$`)

// wrongKey says whether inline code names a key of the configuration that there is not.
func wrongKey(code string, keys map[string]bool, sections map[string]bool) bool {
	m := settingName.FindStringSubmatch(code)
	if m == nil || !sections[m[1]] || slices.Contains([]string{"go", "md", "cc", "h"}, m[2]) {
		return false
	}
	return !keys[m[1]+"."+m[2]]
}

// Keys and presets that the pages name are there.
func TestDocumentsKeys(t *testing.T) {
	keys, sections := map[string]bool{}, map[string]bool{}
	for _, k := range config.Keys() {
		keys[k.Name], sections[k.Section()] = true, true
	}
	for _, d := range documents(t) {
		for _, line := range d.lines {
			for _, m := range inlineCode.FindAllStringSubmatch(line, -1) {
				assert.False(t, wrongKey(m[1], keys, sections), "%s: no key `%s`", d.name, m[1])
			}
		}
	}
	assert.True(t, wrongKey("train.nothing", keys, sections))
	assert.True(t, wrongKey("stereo.nothing = 1", keys, sections))
	assert.False(t, wrongKey("train.epochs=3", keys, sections))
	assert.False(t, wrongKey("other.nothing", keys, sections))

	readme, err := os.ReadFile(root + "/README.md")
	assert.NoError(t, err)
	for _, preset := range configs.Names() {
		assert.Contains(t, string(readme), "`"+preset+"`", "README.md does not name the preset")
	}
}

// The check finds what is wrong.
func TestDocumentsCommandsCheckCanFail(t *testing.T) {
	for _, line := range []string{
		"spikedhs trian --out x", "spikedhs train --ouut x", "spikedhs train --precision half", "spikedhs eval there",
		"spikedhs train --set train.epoch=1", "spikedhs train --config nothing", "spikedhs train --genotype nothing",
		"spikedhs data fetsh cifar10", "A=1 bin/spikedhs bench nothing --batch 8",
	} {
		for _, words := range shellCommands(line) {
			assert.Error(t, checkLine(programLine(words)), line)
		}
	}
	for line, want := range map[string][][]string{
		`camera | bin/spikedhs stream --events - # told`: {{"camera"}, {"bin/spikedhs", "stream", "--events", "-"}},
		`spikedhs train --set 'a.b=["c"]' && echo "d e"`: {{"spikedhs", "train", "--set", `a.b=["c"]`}, {"echo", "d e"}},
	} {
		assert.Equal(t, want, shellCommands(line))
	}
	assert.Nil(t, programLine([]string{"echo", "spikedhs"}))
}
