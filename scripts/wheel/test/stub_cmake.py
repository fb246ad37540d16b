"""Building at the first start, with a CMake that is made up: it copies libraries."""

import glob
import os

from fixtures import Environment, Test, shims, torch, write

CMAKE = """#!/bin/sh
notes=%(notes)s
case $1 in
--version) echo "cmake version ${STUB_VERSION:-3.25.1}"; exit ;;
-S) echo "configure: $*; CXX=$CXX MAKEFLAGS=${MAKEFLAGS-} DESTDIR=${DESTDIR-}" >>$notes
    if [ -n "${STUB_WARNING-}" ]; then
        printf 'CMake Warning at x.cmake:1 (message):\\n  Left out\\n  by wish.\\n\\nmore\\n'
    fi ;;
--build) echo build >>$notes
    echo '[ 45%%] Building CXX object x.cc.o'
    if [ -n "${STUB_FAIL-}" ]; then sleep_for=0.5; else sleep_for=${STUB_SECONDS:-0}; fi
    /bin/sleep "$sleep_for"
    if [ -n "${STUB_FAIL-}" ]; then echo "all well so far"; echo "x.cc:1:2: error: no such thing"; exit 1; fi ;;
--install) /bin/mkdir -p "$4/lib/spikedhs"; /bin/cp %(made)s/*.so "$4/lib/spikedhs/" ;;
esac
"""


class BuildTest(Test):
    def setUp(self):
        super().setUp()
        self.environment = Environment(os.path.join(self.tmp, "env"))
        self.torch = torch(self.environment.site, "2.16.0", cuda=False)
        self.made = shims(os.path.join(self.tmp, "made"))
        self.notes = os.path.join(self.tmp, "notes")
        self.tools = self.environment.folder("path")
        for name in "c++", "make":
            write(os.path.join(self.tools, name), "#!/bin/sh\n", 0o755)
        self.cmake = write(os.path.join(self.tools, "cmake"), CMAKE % {"notes": self.notes, "made": self.made}, 0o755)
        self.cache = os.path.join(self.environment.home, ".cache", "spikedhs", "shims")

    def run_it(self, *arguments, **options):
        return self.environment.run(*arguments, **options)

    def told(self, kind):
        if not os.path.exists(self.notes):
            return []
        with open(self.notes) as f:
            return [line.strip() for line in f if line.startswith(kind)]

    def built(self, folder=None):
        """The folders that have the libraries."""
        return [
            os.path.dirname(p)
            for p in glob.glob(os.path.join(folder or self.cache, "2.16.0-cpu-abi1-*", "libspikedhs.so"))
        ]

    def nothing_left(self, folder=None):
        self.assertEqual(glob.glob(os.path.join(folder or self.cache, "*.making-*")), [])
