package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// renamed are earlier spellings of flags, by command or group of commands. They still
// work, and no help shows them.
var renamed = map[string]string{
	"data convert-mvsec --data": "--events",
	"data preview --events":     "--slicing",
	"data preview --output":     "--out",
	"data preview --scale":      "--zoom",
	"data saccade --data":       "--dir",
	"data saccade --from":       "--dataset",
	"demo --yes":                "--fetch",
	"export --output":           "--out",
	"infer --data":              "--dir",
	"infer --size":              "--sensor",
	"bench loader --data":       "--dir",
	"report --output":           "--out",
	"reproduce --data":          "--dataset",
	"stream --largest":          "--max-disparity",
	"stream --size":             "--sensor",
}

// today is a flag's spelling of today.
func today(command []string, flag string) string {
	for n := len(command); n > 0; n-- {
		now, ok := renamed[strings.Join(command[:n], " ")+" --"+strings.TrimLeft(flag, "-")]
		if ok {
			return now
		}
	}
	return flag
}

// interspersed moves the flags of a command line in front of its other words, so
// that `spikedhs report RUN --out FILE` works; package cli stops looking for
// flags at the first word that is none. Words behind "--" stay where they are. Earlier
// spellings of flags become those of today.
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
			name, value, given := strings.Cut(word, "=")
			now := today(args[1:at], name)
			if !given && takesValue(command, now) && i+1 < len(rest) {
				i++
				value, given = rest[i], true
			}
			if h, w, ok := strings.Cut(value, "x"); ok && now == "--sensor" && now != name {
				value = w + "x" + h // rows came first
			}
			if flags = append(flags, now); given {
				flags[len(flags)-1] += "=" + value
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
	i := slices.IndexFunc(command.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
	if i < 0 {
		return false
	}
	documented, ok := command.Flags[i].(cli.DocGenerationFlag)
	return ok && documented.TakesValue()
}

// sensor is the value of --sensor: width and height of an event camera in pixels.
type sensor struct{ sides []int }

// sensorFlag is that of all commands that read recordings.
func sensorFlag() cli.Flag {
	return &cli.GenericFlag{Name: "sensor", Value: &sensor{}, Usage: "`WxH` pixels of the sensor, where recordings do not say it"}
}

// Set reads 346x260 or, as the first and the second of two flags, 346 and 260.
func (s *sensor) Set(text string) error {
	more, ok := sidesOf(text)
	if s.sides = append(s.sides, more...); !ok || len(s.sides) > 2 {
		return errors.New("want width and height, such as 346x260")
	}
	return nil
}

// sidesOf reads one length in pixels or two with an x between them.
func sidesOf(text string) (sides []int, ok bool) {
	for word := range strings.SplitSeq(text, "x") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > 1<<14 || len(sides) == 2 {
			return nil, false
		}
		sides = append(sides, n)
	}
	return sides, true
}

func (s *sensor) String() string {
	if s == nil || len(s.sides) < 2 {
		return ""
	}
	return fmt.Sprintf("%dx%d", s.sides[0], s.sides[1])
}

// sensorOf is --sensor, zeros where it is not given.
func sensorOf(c *cli.Context) (width, height int) {
	if s, ok := c.Generic("sensor").(*sensor); ok && len(s.sides) == 2 {
		return s.sides[0], s.sides[1]
	}
	return 0, 0
}
