package task

import "fmt"

// Thousands writes a number with commas between groups of three digits.
func Thousands[N int | int64](n N) string { return Grouped(n, ",") }

// Grouped writes a number with a separator between groups of three digits.
func Grouped[N int | int64](n N, separator string) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + separator + text[i:]
	}
	return text
}

// Plural writes a count with its noun.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
