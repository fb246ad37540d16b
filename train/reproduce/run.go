package reproduce

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task/registry"
)

// ErrRuns is wrapped by the error of an experiment of which some runs failed. What the
// others reached can be collected.
var ErrRuns = errors.New("runs failed")

// Run trains what is missing of an experiment. Runs that have ended are not repeated,
// interrupted ones go on from their checkpoints.
//
// A run that fails does not keep the others from being done; the error then names the
// first that failed. At the end of ctx all runs save checkpoints, and the error wraps
// [train.ErrInterrupted].
func (o Options) Run(ctx context.Context) error {
	p, err := o.prepare()
	if err != nil {
		return err
	}
	if err := o.open(p.dir); err != nil {
		return err
	}
	if err := p.writeCells(); err != nil {
		return fmt.Errorf("reproduce: %w", err)
	}
	s := &schedule{o: &o, plan: p, done: map[string]chan struct{}{}}
	return s.run(ctx)
}

// Check reports what is wrong with the options before anything is computed: names,
// settings, and a folder that is taken.
func (o Options) Check() error {
	p, err := o.prepare()
	if err != nil {
		return err
	}
	_, err = o.merged(p.dir)
	return err
}

// prepare fills in what may be left out, and plans.
func (o *Options) prepare() (*plan, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	return o.plan()
}

// schedule does the tasks of a plan side by side.
type schedule struct {
	o    *Options
	plan *plan
	// done has a channel for each search, closed when it is over.
	done map[string]chan struct{}

	mu       sync.Mutex
	began    time.Time
	total    int // epochs of all tasks
	before   int // epochs that earlier calls did
	counted  int // epochs that are done
	running  map[*task]int
	ended    int // tasks
	failures []error
	failed   map[string]bool // searches by folder
}

// run does all tasks that are not done.
func (s *schedule) run(ctx context.Context) error {
	var missing []*task
	states := map[*task]state{}
	for _, t := range s.plan.tasks {
		at, err := t.state()
		if err != nil {
			return err
		}
		s.total += t.epochs()
		if at == finished || at == fresh && t.elsewhere(s.o.Out) != nil {
			s.before += t.epochs()
			s.ended++
			continue
		}
		if t.Kind == searching {
			s.done[t.Dir] = make(chan struct{})
		}
		s.before += trained(t)
		missing, states[t] = append(missing, t), at
	}
	if len(missing) == 0 {
		return nil
	}
	s.began, s.counted = time.Now(), s.before
	s.running, s.failed = map[*task]int{}, map[string]bool{}
	s.o.Progress.Start("reproduce "+s.o.Experiment, "epochs", s.total, s.before)
	defer s.o.Progress.Stop()

	queue := make(chan *task, len(missing))
	for _, t := range s.inOrder(missing) {
		queue <- t
	}
	close(queue)
	stop := make(chan struct{})
	var watch, work sync.WaitGroup
	watch.Add(1)
	go func() { defer watch.Done(); s.watch(stop) }()
	for range s.jobs(missing) {
		work.Add(1)
		go func() {
			defer work.Done()
			for t := range queue {
				s.one(ctx, t, states[t])
			}
		}()
	}
	work.Wait()
	close(stop)
	watch.Wait()
	return s.verdict(ctx)
}

// inOrder puts searches first and what waits for them last, so that nobody waits for
// a task that nobody does.
func (s *schedule) inOrder(tasks []*task) []*task {
	var first, middle, last []*task
	for _, t := range tasks {
		switch {
		case t.Kind == searching:
			first = append(first, t)
		case s.done[t.after] != nil:
			last = append(last, t)
		default:
			middle = append(middle, t)
		}
	}
	return append(append(first, middle...), last...)
}

// jobs is how many tasks go side by side.
func (s *schedule) jobs(tasks []*task) int {
	jobs := s.o.Jobs
	if jobs == 0 {
		jobs = defaultJobs(tasks[0].Config, len(s.o.Worker) > 0)
	}
	return min(jobs, len(tasks))
}

// defaultJobs fills the cores of a CPU with runs of a known number of threads.
func defaultJobs(c *config.Config, apart bool) int {
	if !apart || c.Run.Threads == 0 {
		return 1
	}
	if d, err := torch.ParseDevice(c.Run.Device); err != nil || torch.IsCUDA(d) {
		return 1
	}
	return max(1, runtime.NumCPU()/c.Run.Threads)
}

// one does a task and tells how it went.
func (s *schedule) one(ctx context.Context, t *task, at state) {
	if done := s.done[t.Dir]; done != nil {
		defer close(done)
	}
	if wait := s.done[t.after]; wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	hopeless := s.failed[t.after]
	s.running[t] = trained(t)
	s.mu.Unlock()
	began := time.Now()
	err := errors.New("the search of its cell failed")
	if !hopeless {
		err = s.o.do(ctx, t, at)
	}
	s.count()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, t)
	switch {
	case err == nil:
		s.ended++
		fmt.Fprintf(s.o.Progress, "%s %s: %s in %s, %d of %d runs%s\n", s.o.Experiment, t.name(), outcome(t),
			time.Since(began).Round(time.Second), s.ended, len(s.plan.tasks), s.left())
	case errors.Is(err, train.ErrInterrupted) || ctx.Err() != nil:
	default:
		s.failures = append(s.failures, fmt.Errorf("%s: %w", t.name(), err))
		s.failed[t.Dir] = true
		fmt.Fprintf(s.o.Progress, "%s %s failed: %v\n", s.o.Experiment, t.name(), err)
	}
}

// left is the time that the rest will take, as text.
func (s *schedule) left() string {
	left := s.total - s.counted
	took := time.Since(s.began)
	done := s.counted - s.before
	if left <= 0 || done <= 0 {
		return ""
	}
	return fmt.Sprintf(", about %s left", (took * time.Duration(left) / time.Duration(done)).Round(time.Second))
}

// outcome is what a task reached.
func outcome(t *task) string {
	if t.Kind == searching {
		return "done"
	}
	one, err := readRun(t.Dir)
	if err != nil || !one.Ended {
		return "done"
	}
	return fmt.Sprintf("%s %.2f %%", registry.Of(t.Config).Score().Words, one.Top1)
}

// watch counts the epochs that running tasks have recorded.
func (s *schedule) watch(stop <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			s.count()
		}
	}
}

func (s *schedule) count() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t, known := range s.running {
		if now := trained(t); now > known {
			s.o.Progress.Add(now-known, "")
			s.running[t] = now
			s.counted += now - known
		}
	}
}

// trained is the number of epochs that a task has recorded.
func trained(t *task) int {
	records, err := run.ReadMetrics(filepath.Join(t.Dir, run.MetricsFile))
	if err != nil { // not there yet
		return 0
	}
	epochs := 0
	for _, r := range records {
		if r.Kind == trainEpoch && t.Kind == training || r.Kind == searchEpoch && t.Kind == searching {
			epochs++
		}
	}
	return epochs
}

// verdict is the error of the whole.
func (s *schedule) verdict(ctx context.Context) error {
	switch n := len(s.failures); {
	case ctx.Err() != nil:
		return fmt.Errorf("reproduce in %s: %w", s.plan.dir, train.ErrInterrupted)
	case n > 0:
		return fmt.Errorf("reproduce in %s: %w: %d of %d, first %s; repeat with --resume to try them again",
			s.plan.dir, ErrRuns, n, len(s.plan.tasks), strings.Join(strings.Fields(s.failures[0].Error()), " "))
	}
	s.o.Progress.End(fmt.Sprintf("%d runs", len(s.plan.tasks)))
	return nil
}
