import glob
import os
import random
import re
import shutil
import signal
import subprocess
import unittest

from fixtures import Test, library, needs_compiler

from spikedhs.elf import Library, symbol_hash
from spikedhs.errors import Unreadable

READELF = shutil.which("readelf")


def real_libraries():
    """Some that any machine has, and a libtorch's where there is one."""
    found = []
    for name in "libstdc++.so.6", "libgcc_s.so.1", "libgomp.so.1", "libz.so.1", "libc10.so", "libtorch.so":
        for folder in "/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib64":
            if os.path.exists(os.path.join(folder, name)):
                found.append(os.path.join(folder, name))
                break
    folder = os.environ.get("LIBTORCH") and os.path.join(os.environ["LIBTORCH"], "lib")
    for path in sorted(glob.glob(os.path.join(folder, "lib*.so*"))) if folder else ():
        if os.path.getsize(path) < 64 << 20:
            found.append(path)
    return found


def readelf(path, *options):
    return subprocess.run([READELF, "-W", *options, path], capture_output=True, check=True).stdout.decode()


@unittest.skipUnless(READELF, "there is no readelf to compare with")
class TestAgainstReadelf(Test):
    def test_symbols(self):
        libraries = real_libraries()
        self.assertTrue(libraries)
        for path in libraries:
            with self.subTest(path):
                lib = Library(path)
                defined, undefined = set(), {}
                for line in readelf(path, "--dyn-syms").splitlines():
                    words = line.split()
                    if len(words) < 8 or not words[0].rstrip(":").isdigit():
                        continue
                    name = words[7].partition("@")[0].encode()
                    if words[6] == "UND":
                        undefined[name] = words[4] == "WEAK"
                    elif words[4] != "LOCAL":
                        defined.add(name)
                self.assertTrue(undefined)
                if not defined:
                    with self.assertRaisesRegex(Unreadable, "nothing for others"):
                        lib.undefined()
                    continue
                self.assertEqual({name: weak for name, _, weak in lib.undefined()}, undefined)
                self.assertEqual([n for n in defined if not lib.defines(n)], [])
                self.assertEqual([n for n in undefined if lib.defines(n) and n not in defined], [])
                self.assertFalse(lib.defines(b"no_such_symbol"))

    def test_versions_and_needs(self):
        for path in real_libraries():
            with self.subTest(path):
                lib = Library(path)
                dynamic = readelf(path, "-d")
                self.assertEqual(lib.needed, re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
                self.assertEqual([lib.soname], re.findall(r"\(SONAME\).*\[(.*)\]", dynamic) or [""])
                paths = re.findall(r"\(RPATH\).*\[(.*)\]", dynamic)
                self.assertEqual(":".join(lib.rpath), ":".join(paths))
                part = readelf(path, "-V").partition(".gnu.version_r")[2]
                wanted = set(re.findall(r"Name: (\S+)  Flags: \S+  Version: \d+", part))
                self.assertEqual({version for _, _, version in lib.versions()}, wanted)


@needs_compiler
class TestMadeUp(Test):
    def test_what_is_read(self):
        path = library(
            self.tmp + "/libx.so",
            ["alpha", "_ZN3c10beta"],
            lacks=["gamma"],
            weak=["delta"],
            needs=["liby.so.1", "libz.so.2"],
            rpath="$ORIGIN:/lib",
        )
        lib = Library(path)
        self.assertEqual((lib.soname, lib.needed), ("libx.so", ["liby.so.1", "libz.so.2"]))
        self.assertEqual((lib.rpath, lib.runpath), (["$ORIGIN", "/lib"], []))
        self.assertEqual(sorted(lib.undefined()), [(b"delta", "", True), (b"gamma", "", False)])
        for name, there in (
            (b"alpha", True),
            (b"_ZN3c10beta", True),
            (b"gamma", False),
            (b"alph", False),
            (b"", False),
        ):
            self.assertIs(lib.defines(name), there, name)
        self.assertTrue(lib.names_contain((b"_ZN3c10",), b"beta"))
        self.assertFalse(lib.names_contain((b"_ZN3c10",), b"alpha"))

    def test_a_runpath(self):
        lib = Library(library(self.tmp + "/libx.so", ["a"], rpath="/some:/where", runpath=True))
        self.assertEqual((lib.rpath, lib.runpath), ([], ["/some", "/where"]))

    def test_the_older_table_of_symbols(self):
        for style in "sysv", "both":
            lib = Library(library(self.tmp + "/libx.so", ["alpha", "beta"], lacks=["gamma"], hash_style=style))
            self.assertEqual([lib.defines(n) for n in (b"alpha", b"beta", b"gamma")], [True, True, False])
            self.assertEqual([n for n, _, _ in lib.undefined()], [b"gamma"])

    def test_many_symbols(self):
        names = ["name_%d" % i for i in range(2000)]
        lib = Library(library(self.tmp + "/libx.so", names))
        self.assertTrue(all(lib.defines(n.encode()) for n in names))
        self.assertFalse(any(lib.defines(b"other_%d" % i) for i in range(2000)))


class TestHash(Test):
    def test_of_known_names(self):
        # Of the ELF documents: the empty name, and one whose sum is past 32 bits.
        for name, h in (b"", 0x00001505), (b"printf", 0x156B2BB8), (b"exit", 0x7C967E3F), (b"syscall", 0xBAC212A0):
            self.assertEqual(symbol_hash(name), h)

    def test_of_long_names(self):
        for n in 511, 512, 513, 5000:
            h = 5381
            for byte in b"x" * n:
                h = (h * 33 + byte) & 0xFFFFFFFF
            self.assertEqual(symbol_hash(b"x" * n), h, n)


class TestDamaged(Test):
    """A damaged file ends in Unreadable, soon, or reads as something else."""

    def setUp(self):
        super().setUp()
        self.addCleanup(signal.alarm, 0)
        signal.signal(signal.SIGALRM, lambda *_: self.fail("it takes too long"))

    def read(self, data):
        path = os.path.join(self.tmp, "damaged.so")
        with open(path, "wb") as f:
            f.write(data)
        signal.alarm(20)
        try:
            lib = Library(path)
            lib.undefined()
            lib.versions()
            lib.names_contain((b"_ZN3c10", b"_ZNK3c10"), b"__cxx11")
            for name in b"at_add", b"spikedhs_calls", b"printf", b"GOMP_parallel":
                lib.defines(name)
            return True
        except Unreadable as e:
            self.assertIn(path, str(e))
            self.assertNotIn("\n", str(e))
            return False
        finally:
            signal.alarm(0)

    def samples(self):
        paths = [p for p in real_libraries() if os.path.getsize(p) < 2 << 20][:2]
        try:
            names = ["_ZN3c10name%d" % i for i in range(40)]
            paths.append(library(self.tmp + "/libmade.so", names, lacks=["gamma"], needs=["liby.so"], rpath="$ORIGIN"))
        except (OSError, TypeError):
            pass  # no compiler
        self.assertTrue(paths)
        for path in paths:
            with open(path, "rb") as f:
                yield path, f.read()

    def test_no_library(self):
        for data in b"", b"\x7fELF", b"\0" * 4096, b"\x7fELF\x02\x01" + b"\xff" * 4096, b"#!/bin/sh\n" * 100:
            self.assertFalse(self.read(data))
        with self.assertRaises(Unreadable):
            Library(self.tmp)  # a folder
        with self.assertRaises(Unreadable):
            Library(self.tmp + "/absent.so")

    def test_cut_off(self):
        for path, data in self.samples():
            with self.subTest(path):
                self.assertTrue(self.read(data))
                for size in sorted({len(data) * k // 60 for k in range(60)} | set(range(0, 1200, 37))):
                    self.read(data[:size])
                # Its sections, at the end, are not needed; what is loaded is, whole.
                end = max(offset + size for _, offset, size in Library(path)._segments)
                self.assertTrue(self.read(data[:end]))
                self.assertFalse(self.read(data[: end - 1]))

    def test_flipped(self):
        chance = random.Random(19)
        for path, data in self.samples():
            refused = 0
            with self.subTest(path):
                for _ in range(400):
                    damaged = bytearray(data)
                    # Headers and tables are at the beginning of these files, where most is read.
                    for _ in range(chance.choice((1, 3, 20))):
                        at = chance.randrange(chance.choice((64, 1024, min(len(data), 1 << 15), len(data))))
                        damaged[at] = chance.choice((0, 0xFF, damaged[at] ^ 1 << chance.randrange(8)))
                    damaged[:6] = data[:6]
                    refused += not self.read(bytes(damaged))
                self.assertGreater(refused, 20)

    def test_dynamic_entries(self):
        """Each word of the table that says where everything is, made wrong."""
        for path, data in self.samples():
            with self.subTest(path):
                headers, size, count = (int.from_bytes(data[a:b], "little") for a, b in ((32, 40), (54, 56), (56, 58)))
                for i in range(count):
                    at = headers + i * size
                    if int.from_bytes(data[at : at + 4], "little") == 2:
                        offset = int.from_bytes(data[at + 8 : at + 16], "little")
                        length = int.from_bytes(data[at + 32 : at + 40], "little")
                for word in range(offset, offset + length, 8):
                    for value in 0, 1, len(data) - 1, 1 << 31, (1 << 63) + 5, (1 << 64) - 1:
                        self.read(data[:word] + value.to_bytes(8, "little") + data[word + 8 :])


if __name__ == "__main__":
    unittest.main()
