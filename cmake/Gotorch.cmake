# GOTORCH_DIR: gotorch's sources. They come from the Go module cache at the version
# that go.mod pins; -DGOTORCH_DIR=... takes their place where there is no Go.
set(GOTORCH_DIR "" CACHE PATH "gotorch's module folder; empty: ask go")
if(NOT GOTORCH_DIR)
  execute_process(
    COMMAND sh -c "go mod download github.com/wangkuiyi/gotorch && go list -m -f '{{.Dir}}' github.com/wangkuiyi/gotorch"
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    OUTPUT_VARIABLE gotorch_dir OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_VARIABLE gotorch_error RESULT_VARIABLE gotorch_rc)
  if(gotorch_rc)
    message(FATAL_ERROR "gotorch's sources could not be fetched; check that go works here, or set -DGOTORCH_DIR.\n${gotorch_error}")
  endif()
  set(GOTORCH_DIR ${gotorch_dir}) # hides the cache entry, which stays empty
endif()
