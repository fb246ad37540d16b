// Package task says what the loops of package train must be told about one kind of
// problem, and nothing of what they do with it: a [Task] reads genotypes and opens a
// [Problem], which gives batches, a [Supernet] to search, a [Network] to train, and
// measures what came of it. Search, training, evaluation and export know no task by
// its name; the tasks are packages below this one, listed in package registry.
package task
