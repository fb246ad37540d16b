package config

import "fmt"

// Load returns the defaults with source over them and sets over that, checked.
//
// A source with a slash in it or with the ending .toml is a file; any other is the
// name of a preset of package configs or, where there is no such preset, an
// existing file. An empty source is no source. Each of sets is
// "section.key=value" with a TOML value; text may go without quotes.
//
// The error is one line, says where the mistake is, and wraps [ErrInvalid].
func Load(source string, sets []string) (*Config, error) {
	c, where := Default(), origins{}
	if source != "" {
		name, text, err := read(source)
		if err != nil {
			return nil, err
		}
		if err := c.apply(name, text, where); err != nil {
			return nil, err
		}
	}
	for _, text := range sets {
		if err := c.set(text, where); err != nil {
			return nil, err
		}
	}
	if err := invalid(c.problems(), where); err != nil {
		return nil, err
	}
	return c, nil
}

// Parse returns the defaults with a TOML document over them, checked. The name
// stands for the document in errors.
func Parse(name string, document []byte) (*Config, error) {
	c, where := Default(), origins{}
	if err := c.apply(name, string(document), where); err != nil {
		return nil, err
	}
	if err := invalid(c.problems(), where); err != nil {
		return nil, err
	}
	return c, nil
}

// apply sets every key of a TOML document and notes in where it stands.
func (c *Config) apply(name, document string, where origins) error {
	tree, err := parse(document)
	if err != nil {
		line, message := syntaxError(err)
		return fmt.Errorf("%w: %s:%d: %s", ErrInvalid, name, line, message)
	}
	lines := keyLines(document)
	for key, line := range lines {
		where[key] = fmt.Sprintf("%s:%d", name, line)
	}
	return invalid(inOrder(c.bind(tree), lines), where)
}
