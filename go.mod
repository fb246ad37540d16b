module github.com/spikedhs/spikedhs

go 1.24.0

require (
	github.com/BurntSushi/toml v1.6.0
	github.com/stretchr/testify v1.11.1
	github.com/wangkuiyi/gotorch v0.0.0-20201028015551-9afed2f3ad7b
)

require (
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
