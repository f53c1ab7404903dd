# Makes lib<NAME>.so, a filter of libaclquant_host.so: a stub for each exported symbol, so that clients link, and the
# instruction to take the real ones from the host device beside it.
execute_process(COMMAND ${OBJDUMP} -D --defined-only ${HOST} OUTPUT_VARIABLE SYMBOLS COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[ \t][TW] [A-Za-z_0-9]+" FUNCTIONS "${SYMBOLS}")
set(SOURCE "")
foreach(FUNCTION ${FUNCTIONS})
  string(REGEX REPLACE ".* " "" FUNCTION "${FUNCTION}")
  string(APPEND SOURCE "void ${FUNCTION}(void) {}\n")
endforeach()
file(WRITE ${OUTPUT}.c "${SOURCE}")
get_filename_component(HOST_NAME ${HOST} NAME)
get_filename_component(HOST_DIR ${HOST} DIRECTORY)
execute_process(
  COMMAND ${COMPILER} -shared -fPIC -w -nostdlib ${OUTPUT}.c -o ${OUTPUT} -Wl,-soname,lib${NAME}.so
          -Wl,--filter=${HOST_NAME} -Wl,-rpath,$ORIGIN
  COMMAND_ERROR_IS_FATAL ANY)
