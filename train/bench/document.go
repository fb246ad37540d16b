package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/spikedhs/spikedhs/train/reproduce"
	"github.com/spikedhs/spikedhs/train/run"
)

// Record is a measurement as the documents keep it, a line of JSON.
type Record struct {
	// Kind is the table that it stands in, Unit what that table counts, such as images/s.
	Kind string `json:"kind"`
	Unit string `json:"unit"`
	// What was measured, on which machine, with which libtorch, when (YYYY-MM-DD).
	What     string `json:"what"`
	Machine  string `json:"machine"`
	Libtorch string `json:"libtorch"`
	Date     string `json:"date"`
	Batch    int    `json:"batch,omitempty"`
	// Ours is the median in units, MemoryMB the peak memory; 0: not known.
	Ours     float64 `json:"ours,omitempty"`
	MemoryMB float64 `json:"memory_mb,omitempty"`
	Others   []Other `json:"others,omitempty"`
	Note     string  `json:"note,omitempty"`
}

// Other is what something else reached in the same measurement; 0 is not known. Ratio is
// ours over its own, MemoryRatio our memory over its own.
type Other struct {
	Impl        string  `json:"impl"`
	Rate        float64 `json:"rate,omitempty"`
	Ratio       float64 `json:"ratio,omitempty"`
	MemoryRatio float64 `json:"memory_ratio,omitempty"`
}

// ErrRecord is wrapped by errors about a line that is no [Record].
var ErrRecord = errors.New("no record of a measurement")

// ReadRecords reads records, one JSON object after the other.
func ReadRecords(in io.Reader) ([]Record, error) {
	var list []Record
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	for {
		var r Record
		err := decoder.Decode(&r)
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err == nil && slices.Contains([]string{r.Kind, r.Unit, r.What, r.Machine, r.Libtorch, r.Date}, "") {
			err = errors.New("kind, unit, what, machine, libtorch and date are needed")
		}
		if err != nil {
			return nil, fmt.Errorf("%w: record %d: %w", ErrRecord, len(list)+1, err)
		}
		list = append(list, r)
	}
}

// Tables are the records as a table for each kind, in the order in which kinds first
// appear. Columns that no record of a kind fills are left out.
func Tables(records []Record) []reproduce.Table {
	var kinds []string
	of := map[string][]Record{}
	for _, r := range records {
		if of[r.Kind] == nil {
			kinds = append(kinds, r.Kind)
		}
		of[r.Kind] = append(of[r.Kind], r)
	}
	var tables []reproduce.Table
	for _, kind := range kinds {
		tables = append(tables, tableOf(of[kind]))
	}
	return tables
}

func tableOf(records []Record) reproduce.Table {
	t := reproduce.Table{Title: fmt.Sprintf("%s (%s)", records[0].Kind, records[0].Unit), Rows: make([][]string, len(records))}
	column := func(name string, text bool, cell func(Record) string) {
		cells := make([]string, len(records))
		for i, r := range records {
			cells[i] = cell(r)
		}
		if !slices.ContainsFunc(cells, func(c string) bool { return c != "" }) {
			return
		}
		t.Columns = append(t.Columns, reproduce.Column{Name: name, Text: text})
		for i := range records {
			t.Rows[i] = append(t.Rows[i], cells[i])
		}
	}
	column("what", true, func(r Record) string { return r.What })
	column("machine", true, func(r Record) string { return r.Machine })
	column("libtorch", true, func(r Record) string { return r.Libtorch })
	column("date", true, func(r Record) string { return r.Date })
	column("batch", false, func(r Record) string { return figure(float64(r.Batch), "") })
	column("ours", false, func(r Record) string { return figure(r.Ours, "") })
	for _, impl := range others(records) {
		other := func(unit string, number func(Other) float64) func(Record) string {
			return func(r Record) string {
				i := slices.IndexFunc(r.Others, func(o Other) bool { return o.Impl == impl })
				if i < 0 {
					return ""
				}
				return figure(number(r.Others[i]), unit)
			}
		}
		column(impl, false, other("", func(o Other) float64 { return o.Rate }))
		column("ours over it", false, other("x", func(o Other) float64 { return o.Ratio }))
		column("memory over it", false, other("x", func(o Other) float64 { return o.MemoryRatio }))
	}
	column("peak MB", false, func(r Record) string { return figure(r.MemoryMB, "") })
	column("note", true, func(r Record) string { return r.Note })
	return t
}

// others are the implementations beside ours, in the order in which they first appear.
func others(records []Record) (names []string) {
	for _, r := range records {
		for _, o := range r.Others {
			if !slices.Contains(names, o.Impl) {
				names = append(names, o.Impl)
			}
		}
	}
	return names
}

// figure writes a number with its unit, nothing for 0.
func figure(x float64, unit string) string {
	if x == 0 {
		return ""
	}
	return strconv.FormatFloat(x, 'f', -1, 64) + unit
}

// The lines of a document between which [UpdateDocument] puts the tables.
const (
	tablesBegin = "<!-- bench table -->"
	tablesEnd   = "<!-- end of bench table -->"
)

// WriteTables writes the tables of records for a document.
func WriteTables(w io.Writer, records []Record) error {
	for i, t := range Tables(records) {
		if i > 0 {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		if err := t.Markdown(w); err != nil {
			return err
		}
	}
	return nil
}

// UpdateDocument puts the tables of records into a document, between its lines
// "<!-- bench table -->" and "<!-- end of bench table -->".
func UpdateDocument(document string, records []Record) error {
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	var tables bytes.Buffer
	if err := WriteTables(&tables, records); err != nil {
		return err
	}
	if text, err = reproduce.Between(document, text, tablesBegin, tablesEnd, tables.Bytes()); err != nil {
		return err
	}
	return run.WriteFileAtomic(document, func(w io.Writer) error { _, err := w.Write(text); return err })
}
