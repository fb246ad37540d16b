module example.com/extend

go 1.24.0

require github.com/spikedhs/spikedhs v0.0.0

replace github.com/spikedhs/spikedhs => ../..
