package report

import (
	"html/template"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestConfusion(t *testing.T) {
	e := &evaluation{Classes: []string{"cat & dog", "<bird>"}, Confusion: [][]int{{3, 1}, {0, 0}}}
	image := string(drawConfusion(e))
	requireXML(t, image)
	assert.Contains(t, image, "cat &amp; dog taken for &lt;bird&gt;: 1 of 4 (25.0 %)")
	assert.Contains(t, image, `fill-opacity="0.5"`, "the square root of a quarter")
	assert.Contains(t, image, ">75.0<", "accuracy of the class")
	assert.Equal(t, 1, strings.Count(image, `class="bar"`), "a class without images has no accuracy")
	assert.NotContains(t, image, "NaN")
}

func TestConfusionOfManyClasses(t *testing.T) {
	dir := t.TempDir() + "/run"
	e := addEvaluation(t, newRun(t, dir), 100)
	image := string(drawConfusion(&evaluation{Classes: e.Classes, Confusion: e.Confusion}))
	requireXML(t, image)
	assert.Contains(t, image, "class 99")
	assert.Contains(t, image, "rotate(-90)")
	assert.NotContains(t, image, "faint", "small cells show no counts")
}

func TestConfusionAbsent(t *testing.T) {
	assert.Equal(t, template.HTML(""), drawConfusion(&evaluation{}))
}

func TestClassWithoutName(t *testing.T) {
	e := evaluation{Classes: []string{"cat", ""}}
	assert.Equal(t, []string{"cat", "1", "2"}, []string{e.class(0), e.class(1), e.class(2)})
}

func TestMistakes(t *testing.T) {
	e := &evaluation{Classes: []string{"a", "b", "c"}, Confusion: [][]int{{8, 2, 0}, {5, 5, 0}, {0, 2, 8}}}
	all := e.mistakes(2)
	assert.Equal(t, []mistake{
		{Label: "b", Guess: "a", Count: "5", Share: "50.0" + narrow + "%", count: 5},
		{Label: "a", Guess: "b", Count: "2", Share: "20.0" + narrow + "%", count: 2},
	}, all)
	assert.Len(t, e.mistakes(10), 3)
}
