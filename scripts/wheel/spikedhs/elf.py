"""Reads of a shared library (ELF, 64 bit, little-endian) what its loader reads:
the libraries it needs and where it looks for them, the symbols it lacks, and
whether it has a symbol, by the hash table that the loader uses (.gnu.hash).

Sections are not looked at: a loader needs none, and a stripped file has none. Every
offset comes from the file, so each is held against its end, and each loop has a
limit: a damaged file ends in Unreadable.
"""

import mmap
import os
import struct

from .errors import Unreadable

PT_LOAD, PT_DYNAMIC = 1, 2
DT_NEEDED, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ = 1, 4, 5, 6, 10
DT_SONAME, DT_RPATH, DT_RUNPATH = 14, 15, 29
DT_GNU_HASH, DT_VERSYM, DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFFE, 0x6FFFFFFF
DYNAMIC_OBJECT, EXECUTABLE, X86_64 = 3, 2, 62
WEAK = 2

_SYMBOL = struct.Struct("<IBBHQQ")
_WORD = struct.Struct("<I")
_LONG = struct.Struct("<Q")

# What no honest file comes near.
_MOST_ENTRIES = 4096
_LONGEST_CHAIN = 4096
_LONGEST_NAME = 65536

# 33**k for the hash of names, which is sum(byte * 33**position) in 32 bits.
_POWERS = [pow(33, k, 1 << 32) for k in range(512)][::-1]


def symbol_hash(name):
    """The hash of .gnu.hash tables. The sum runs in C: thousands of names are hashed
    at each start."""
    first = len(_POWERS) - len(name)
    if first <= 0:
        h = 5381
        for byte in name:
            h = (h * 33 + byte) & 0xFFFFFFFF
        return h
    return (5381 * _POWERS[first - 1] + sum(map(int.__mul__, name, _POWERS[first:]))) & 0xFFFFFFFF


class Library:
    """One file. Reading is lazy: the tables are looked at when they are asked for."""

    def __init__(self, path):
        self.path = path
        self._defined = None
        self._guarded(self._open)

    def _guarded(self, read, *arguments):
        """Whatever a damaged table leads to becomes Unreadable."""
        try:
            return read(*arguments)
        except (struct.error, IndexError, KeyError, ValueError, OverflowError, OSError, MemoryError) as e:
            why = "a table is missing" if isinstance(e, KeyError) else getattr(e, "strerror", None) or e
            raise Unreadable("%s is no library that can be read: %s" % (self.path, why)) from e

    def _open(self):
        with open(self.path, "rb") as f:
            size = os.fstat(f.fileno()).st_size
            if size < 64:
                raise ValueError("%d bytes" % size)
            self._map = mmap.mmap(f.fileno(), size, access=mmap.ACCESS_READ)
        self._bytes = memoryview(self._map)
        if self._map[:6] != b"\x7fELF\x02\x01":
            raise ValueError("not ELF of 64 bit")
        kind, machine = struct.unpack_from("<HH", self._map, 16)
        if kind not in (DYNAMIC_OBJECT, EXECUTABLE) or machine != X86_64:
            raise ValueError("not made for this processor")
        (headers,) = _LONG.unpack_from(self._map, 32)
        entry_size, count = struct.unpack_from("<HH", self._map, 54)
        self._segments, dynamic = [], None
        for i in range(count):
            kind, _, offset, address, _, in_file = struct.unpack_from("<IIQQQQ", self._map, headers + i * entry_size)
            if kind == PT_LOAD:
                if offset + in_file > size:
                    raise ValueError("it is cut off")
                self._segments.append((address, offset, in_file))
            elif kind == PT_DYNAMIC:
                dynamic = offset, in_file
        if dynamic is None:
            raise ValueError("nothing in it is for a loader")
        self._read_dynamic(*dynamic)

    def _read_dynamic(self, offset, size):
        self._table, names = {}, {DT_NEEDED: [], DT_RPATH: [], DT_RUNPATH: [], DT_SONAME: []}
        for i in range(min(size // 16, _MOST_ENTRIES)):
            tag, value = struct.unpack_from("<QQ", self._map, offset + 16 * i)
            if tag == 0:
                break
            if tag in names:
                names[tag].append(value)
            else:
                self._table[tag] = value
        if DT_STRTAB in self._table:
            self._strings = self._offset(self._table[DT_STRTAB])
            self._strings_end = self._strings + self._table.get(DT_STRSZ, 0)
        else:
            self._strings = self._strings_end = 0
        if self._strings_end > len(self._map):
            raise ValueError("its names are cut off")
        text = lambda tag: [os.fsdecode(self._name(v)) for v in names[tag]]
        self.needed = text(DT_NEEDED)
        self.soname = (text(DT_SONAME) or [""])[0]
        split = lambda tag: [p for t in text(tag) for p in t.split(":") if p]
        self.rpath, self.runpath = split(DT_RPATH), split(DT_RUNPATH)

    def _offset(self, address):
        """Where in the file an address of the loaded library is."""
        for start, offset, size in self._segments:
            if start <= address < start + size:
                return offset + address - start
        raise ValueError("a table is at no place of the file")

    def _name(self, at):
        start = self._strings + at
        end = self._map.find(b"\0", start, min(self._strings_end, start + _LONGEST_NAME))
        if end < 0:
            raise ValueError("a name has no end")
        return self._map[start:end]

    def _words(self, offset, count, form="I", size=4):
        if offset + count * size > len(self._map):
            raise ValueError("a table is cut off")
        return self._bytes[offset : offset + count * size].cast(form)

    # ---- what it has

    def _gnu_hash(self):
        if self._defined is None:
            at = self._offset(self._table[DT_GNU_HASH])
            buckets, first, blooms, shift = struct.unpack_from("<IIII", self._map, at)
            if not buckets or not blooms:
                raise ValueError("its .gnu.hash is empty")
            bloom = self._words(at + 16, blooms, "Q", 8)
            at += 16 + 8 * blooms
            bucket = self._words(at, buckets)
            at += 4 * buckets
            symbols = self._offset(self._table[DT_SYMTAB])
            self._defined = bloom, shift, bucket, first, at, symbols
        return self._defined

    def defines(self, name, h=None):
        """Whether a symbol of that name (bytes) is here for others. h: its hash."""
        if DT_GNU_HASH not in self._table:
            return name in self._guarded(self._names_defined)
        return self._guarded(self._defines, name, symbol_hash(name) if h is None else h)

    def _names_defined(self):
        """All of them, for a library that has but the older table (small ones of CUDA)."""
        if self._defined is None:
            self._defined = {self._name(at) for at, _, section in self._symbols() if section}
        return self._defined

    def _defines(self, name, h):
        bloom, shift, bucket, first, chains, symbols = self._gnu_hash()
        word = bloom[(h >> 6) % len(bloom)]
        if not (word >> (h & 63)) & (word >> ((h >> (shift & 31)) & 63)) & 1:
            return False
        i = bucket[h % len(bucket)]
        if i < first:  # 0: nothing hashes to here
            return False
        for i in range(i, i + _LONGEST_CHAIN):
            (have,) = _WORD.unpack_from(self._map, chains + 4 * (i - first))
            if have | 1 == h | 1:
                at, _, _, section, _, _ = _SYMBOL.unpack_from(self._map, symbols + 24 * i)
                if section and self._name(at) == name:
                    return True
            if have & 1:
                return False
        raise ValueError("a chain of its .gnu.hash has no end")

    # ---- what it lacks

    def undefined(self):
        """The symbols that others must have: (name, file of its version or "", weak)."""
        return self._guarded(self._undefined)

    def _undefined(self):
        files = {index: file for index, file, _ in self._versions()}
        symbols = self._symbols()
        versions = self._words(self._offset(self._table[DT_VERSYM]), len(symbols), "H", 2) if files else None
        found = []
        for i, (at, info, section) in enumerate(symbols):
            if section == 0 and i:
                file = files.get(versions[i] & 0x7FFF, "") if versions else ""
                found.append((self._name(at), file, info >> 4 == WEAK))
        return found

    def _symbols(self):
        """All of them, as (place of the name, kind, section)."""
        count = self._symbol_count()
        start = self._offset(self._table[DT_SYMTAB])
        if start + 24 * count > len(self._map):
            raise ValueError("its symbols are cut off")
        return [(s[0], s[1], s[3]) for s in _SYMBOL.iter_unpack(self._bytes[start : start + 24 * count])]

    def _symbol_count(self):
        if DT_HASH in self._table:
            return _WORD.unpack_from(self._map, self._offset(self._table[DT_HASH]) + 4)[0]
        # The symbols without a hash come first, and those with one are sorted by
        # bucket: the last is the end of the chain that begins last.
        _, _, bucket, first, chains, _ = self._gnu_hash()
        last = max(bucket)
        if last < first:
            raise ValueError("it has nothing for others")  # and no table tells how much it lacks
        for i in range(last, last + _LONGEST_CHAIN):
            if _WORD.unpack_from(self._map, chains + 4 * (i - first))[0] & 1:
                return i + 1
        raise ValueError("a chain of its .gnu.hash has no end")

    def versions(self):
        """The versions of symbols that it needs: (number, file, version)."""
        return self._guarded(self._versions)

    def _versions(self):
        if DT_VERNEED not in self._table:
            return []
        found, at = [], self._offset(self._table[DT_VERNEED])
        for _ in range(min(self._table.get(DT_VERNEEDNUM, 0), _MOST_ENTRIES)):
            _, count, file, first, after = struct.unpack_from("<HHIII", self._map, at)
            one = at + first
            for _ in range(count):
                _, _, index, name, following = struct.unpack_from("<IHHII", self._map, one)
                found.append((index & 0x7FFF, os.fsdecode(self._name(file)), os.fsdecode(self._name(name))))
                one += following
                if not following or len(found) > _MOST_ENTRIES:
                    break
            at += after
            if not after or len(found) > _MOST_ENTRIES:
                break
        return found

    def names_contain(self, start, part):
        """Whether a name of its symbols begins with one of start and contains part."""
        return self._guarded(self._names_contain, start, part)

    def _names_contain(self, start, part):
        at = self._map.find(part, self._strings, self._strings_end)
        while at >= 0:
            begin = self._map.rfind(b"\0", max(self._strings, at - _LONGEST_NAME), at) + 1
            if begin and self._map[begin : begin + 16].startswith(start):
                return True
            at = self._map.find(part, at + 1, self._strings_end)
        return False
