package stereo

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
)

var launches = map[string]float64{}

func init() {
	for _, n := range strings.Fields(`add add_ sub sub_ mul mul_ div div_ abs neg copy_ fill_ zero_ cat sum sum_to_size mean softmax:0 _softmax _log_softmax _softmax_backward_data _log_softmax_backward_data
	 relu threshold_backward index_select gt lt le ge ne eq masked_fill_ amax exp log argmax arange nan_to_num clamp clamp_ clamp_min clamp_max rsqrt sqrt pow addcmul addcdiv addcmul_ addcdiv_
	 upsample_nearest2d upsample_nearest2d_backward upsample_bilinear2d upsample_bilinear2d_backward _foreach_add_ index_add_ spikedhs::lif_forward spikedhs::feature_volume spikedhs::depth_stack spikedhs::depth_stack_backward spikedhs::lif spikedhs::lif_backward spikedhs::feature_volume_backward
	 where logical_and isfinite:0 sgn sign norm stack:0 logsumexp sqrt_ maximum linalg_vector_norm mm dot addmm bmm mv lerp_ reciprocal sigmoid upsample_nearest3d`) {
		v := 1.0
		if strings.HasSuffix(n, ":0") {
			n, v = n[:len(n)-2], 0
		}
		if !strings.Contains(n, "::") {
			n = "aten::" + n
		}
		launches[n] = v
	}
	launches["aten::convolution"] = 1
	launches["aten::convolution_backward"] = 3
	launches["aten::native_batch_norm"] = 3
	launches["aten::native_batch_norm_backward"] = 2
	launches["aten::mkldnn_convolution"] = 0
}

func table(t *testing.T, label string, run func()) {
	if err := torch.StartProfile(os.Getenv("SHAPES") != ""); err != nil {
		t.Fatal(err)
	}
	run()
	list, err := torch.StopProfile()
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		name  string
		calls int64
		n     float64
	}
	var rows []row
	total := 0.0
	for _, o := range list {
		name := o.Name
		base, _, _ := strings.Cut(name, " ")
		base, _, _ = strings.Cut(base, "(")
		k, known := launches[base]
		r := row{name, o.Calls, k * float64(o.Calls)}
		if !known {
			r.n = -0.5
		}
		total += k * float64(o.Calls)
		rows = append(rows, r)
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].n > rows[j].n || rows[i].n == rows[j].n && rows[i].calls > rows[j].calls })
	fmt.Printf("== %s: %.0f\n", label, total)
	for _, r := range rows {
		if r.n > 0 || os.Getenv("ALL") != "" {
			fmt.Printf("%8.0f %6d %s\n", r.n, r.calls, r.name)
		}
	}
}

func TestCountTmp(t *testing.T) {
	s := torch.NewScope()
	defer s.Close()
	n, err := NewNetwork(torch.CPU(), published(t), Options{})
	if err != nil { t.Fatal(err) }
	p, _ := n.Program()
	l, r := stacks(t, s, 1, 50, 100)
	for _, prec := range []search.Precision{search.Float32, search.BFloat16} {
	for _, dev := range []bool{false, true} {
		if dev { p.forDevice() } else { p.compact, p.estimator = nil, nil; p.compact16 = nil }
		var state State
		one := func() { q := torch.NewInference(); p.Disparity(q, l, r, 1, &state, prec); if err := q.Close(); err != nil { t.Fatal(err) } }
		one()
		table(t, fmt.Sprint("stream ", prec, dev), one)
	}}
}

