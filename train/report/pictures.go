package report

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pictureDir is the folder of a run with pictures of some test examples.
const pictureDir = "pictures"

// pictures are the drawings of some test examples, inside the page.
func (s *source) pictures() []figure {
	paths, err := filepath.Glob(s.folder.Path(pictureDir, "*.png"))
	if err != nil {
		return nil // only a malformed pattern fails
	}
	slices.Sort(paths)
	var list []figure
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			s.tolerate(err)
			continue
		}
		name := template.HTMLEscapeString(strings.TrimSuffix(filepath.Base(path), ".png"))
		list = append(list, figure{name, template.HTML(fmt.Sprintf(`<img alt="%s" src="data:image/png;base64,%s"/>`,
			name, base64.StdEncoding.EncodeToString(text)))})
	}
	return list
}
