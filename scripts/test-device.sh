#!/bin/bash
# test-device.sh [GO TEST ARGUMENTS]: runs the tests of a CUDA device on the fake one
# of cpp/fake, from the build of make test-device, and prints the commands that ran
# there. SPIKEDHS_LAUNCHES=FILE writes the table of launches for docs/cuda.md.
set -euo pipefail
cd "$(dirname "$0")/.."
export BUILD=build/device
# Two threads of OpenMP on tiny tensors wait longer than they compute.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
export SPIKEDHS_COMMANDS=$PWD/$BUILD/commands.txt
rm -f "$SPIKEDHS_COMMANDS"
status=0
scripts/test.sh -tags fakedevice -run 'Device|Launches|CUDA|Record|Capability' ${@:-./torch ./spike ./search/... ./train/... ./cmd/...} || status=$?
if [ -f "$SPIKEDHS_COMMANDS" ]; then
    echo "on the fake device: $(sed 's/.*--config \([^ ]*\).*/\1/;t;d' "$SPIKEDHS_COMMANDS" | sort -u | tr '\n' ' ')"
    sed 's/^/    /' "$SPIKEDHS_COMMANDS"
fi
exit $status
