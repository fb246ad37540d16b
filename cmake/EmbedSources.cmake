# Writes OUTPUT, a C++ file that holds the texts of NAMES (one space between two) in
# FOLDER: cmake -DFOLDER=... -DNAMES="a.cu b.h" -DOUTPUT=... -P EmbedSources.cmake
separate_arguments(NAMES)
set(entries "")
foreach(name IN LISTS NAMES)
  file(READ ${FOLDER}/${name} text)
  # No closing mark of the raw string may stand in a text; a compiler need not take
  # a literal of more than 65,536 characters.
  string(FIND "${text}" ")source\"" mark)
  string(LENGTH "${text}" length)
  if(NOT mark EQUAL -1 OR length GREATER 65000)
    message(FATAL_ERROR "${name} cannot be embedded as one raw string")
  endif()
  string(APPEND entries "    {\"${name}\", R\"source(${text})source\"},\n")
endforeach()
list(LENGTH NAMES count)
file(WRITE ${OUTPUT} "// Made by cmake/EmbedSources.cmake.
#include \"kernel_sources.h\"

namespace spikedhs {

const KernelSource kKernelSources[] = {
${entries}};
const int kKernelSourceCount = ${count};

}  // namespace spikedhs
")
