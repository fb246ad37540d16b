# Reads readelf --dyn-syms -W of a library and writes assembler for a stub of it that
# the linker takes in its place: each symbol in its newest version up to `newest`,
# a list such as "GLIBCXX=3.4.24 CXXABI=1.3.11". The file `script` gets the versions.
BEGIN {
    count = split(newest, pairs, " ")
    for (i = 1; i <= count; i++) {
        split(pairs[i], pair, "=")
        limit[pair[1]] = number(pair[2])
    }
}
$4 ~ /^(FUNC|OBJECT|TLS|IFUNC|NOTYPE)$/ && $7 != "UND" && $7 != "ABS" && $8 ~ /@/ {
    split($8, parts, /@+/)
    name = parts[1]
    version = parts[2]
    at = match(version, /_[0-9][0-9.]*$/)
    if (!at) next
    family = substr(version, 1, at - 1)
    value = number(substr(version, at + 1))
    if (!(family in limit) || value > limit[family]) next
    if (name in best && best[name] >= value) next
    best[name] = value
    of[name] = version
    kind[name] = $4
    size[name] = $3
}
function number(text, parts, n) {
    n = split(text, parts, ".")
    return parts[1] * 1000000 + parts[2] * 1000 + (n > 2 ? parts[3] : 0)
}
END {
    for (name in of) {
        nodes[of[name]] = nodes[of[name]] " " name ";"
        print (kind[name] == "TLS" ? ".section .tbss,\"awT\",@nobits" : kind[name] == "OBJECT" ? ".data" : ".text")
        type = kind[name] == "TLS" ? "tls_object" : kind[name] == "OBJECT" ? "object" : "function"
        printf ".globl %s\n.type %s,@%s\n.size %s,%s\n%s: .skip %d\n", name, name, type, name, size[name], name, size[name] + 0
    }
    print ".section .note.GNU-stack,\"\",@progbits"
    for (node in nodes) printf "%s {%s };\n", node, nodes[node] >script
    print "HIDDEN_STUB { local: *; };" >script
}
