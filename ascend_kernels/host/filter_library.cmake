# Makes lib<NAME>.so, a filter of HOST, which is libaclquant_host.so or a library beside it: a stub for each exported function that HEADERS declare, so that
# clients link, and the instruction to take the real ones, and all others, from the host device beside it.
cmake_minimum_required(VERSION 3.20)
execute_process(COMMAND ${OBJDUMP} -D --defined-only ${HOST} OUTPUT_VARIABLE SYMBOLS COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[ \t][TW] [A-Za-z_0-9]+" EXPORTED "${SYMBOLS}")
list(TRANSFORM EXPORTED REPLACE ".* " "")
set(SOURCE "")
foreach(HEADER ${HEADERS})
  file(READ ${HEADER} TEXT)
  string(REPLACE ";" "," TEXT "${TEXT}")
  string(REGEX MATCHALL "\n(ACL_FUNC_VISIBILITY|ACLNN_API|ACLQUANT_API) [^(,]*\\(" PROTOTYPES "${TEXT}")
  foreach(PROTOTYPE ${PROTOTYPES})
    string(REGEX REPLACE "^.*[ *\n]([A-Za-z_0-9]+)\\($" "\\1" FUNCTION "${PROTOTYPE}")
    if(FUNCTION IN_LIST EXPORTED)
      string(APPEND SOURCE "void ${FUNCTION}(void) {}\n")
    endif()
  endforeach()
endforeach()
file(WRITE ${OUTPUT}.c "${SOURCE}")
get_filename_component(HOST_NAME ${HOST} NAME)
execute_process(
  COMMAND ${COMPILER} -shared -fPIC -w -nostdlib ${OUTPUT}.c -o ${OUTPUT} -Wl,-soname,lib${NAME}.so
          -Wl,--filter=${HOST_NAME} -Wl,-rpath,$ORIGIN
  COMMAND_ERROR_IS_FATAL ANY)
