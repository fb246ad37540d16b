package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

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
