package report

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/train/run"
)

// evolutionOf follows the cells of a network that names classes.
func evolutionOf(records []run.Record) *evolution {
	return newEvolution(records, []string{"normal", "reduction"})
}

// epochRecord is the record of a search epoch with equations.
func epochRecord(t *testing.T, epoch int, normal ...string) run.Record {
	t.Helper()
	equations, err := json.Marshal(normal)
	require.NoError(t, err)
	number, err := json.Marshal(epoch)
	require.NoError(t, err)
	return run.Record{Kind: searchEpoch, Fields: run.Values{"epoch": number, "genotype": []byte(`"abc"`), "normal": equations}}
}

func TestEvolution(t *testing.T) {
	e := evolutionOf([]run.Record{
		epochRecord(t, 1, "n0 = b3(s1) + b3(s0)", "n1 = skip(s0) + b5(n0)"),
		epochRecord(t, 2, "n0 = b3(s0) + b3(s1)", "n1 = skip(s0) + b5(n0)"), // the order does not matter
		epochRecord(t, 3, "n0 = b3(s0) + b3(s1)", "n1 = b5(s0) + b5(n0)"),
	})
	require.NotNil(t, e)
	assert.Equal(t, []cellHead{{"normal cell", 2}}, e.Cells)
	assert.Equal(t, []string{"n0", "n1"}, e.Nodes)
	require.Len(t, e.Stages, 2)
	assert.Equal(t, "1–2", e.Stages[0].Epochs)
	assert.Equal(t, "3", e.Stages[1].Epochs)
	assert.Equal(t, []term{{"b3(s0)", false}, {"b3(s1)", false}}, e.Stages[1].Nodes[0].Terms)
	assert.Equal(t, []term{{"b5(s0)", true}, {"b5(n0)", false}}, e.Stages[1].Nodes[1].Terms)
	assert.Equal(t, "skip(s0) + b5(n0)", e.Stages[1].Nodes[1].Was)
	assert.Empty(t, e.Stages[1].Nodes[0].Was)
	assert.Equal(t, "The genotype changed 1 time in 3 epochs; the last one stands since epoch 3.", e.Summary)
}

func TestEvolutionWithoutChange(t *testing.T) {
	e := evolutionOf([]run.Record{epochRecord(t, 1, "n0 = b3(s1)"), epochRecord(t, 2, "n0 = b3(s1)")})
	require.NotNil(t, e)
	assert.False(t, e.Changed)
	assert.Equal(t, "The genotype stayed the same over 2 epochs.", e.Summary)
}

func TestEvolutionOfOddRecords(t *testing.T) {
	assert.Nil(t, evolutionOf(nil))
	assert.Nil(t, evolutionOf([]run.Record{{Kind: searchEpoch, Fields: run.Values{"normal": []byte("3")}}}))
	e := evolutionOf([]run.Record{epochRecord(t, 1, "not an equation"), epochRecord(t, 2, "a = b", "c = d")})
	require.NotNil(t, e)
	assert.Len(t, e.Stages, 2)
}
