# SPDX-License-Identifier: Apache-2.0
#
# find_package(aclquant)                      aclquant::host_device: headers and libraries of the host device
# find_package(aclquant COMPONENTS cann)      also aclquant::cann: those of a CANN installation, under the same names
#
# A program linked with either target needs CANN's library names and nothing else, and has no run path; it runs with the
# other libraries when it finds those instead (LD_LIBRARY_PATH, or a BUILD_RPATH or INSTALL_RPATH of your own).
#
# Set before find_package, if wanted:
#   aclquant_LIBRARIES   library names; default ascendcl nnopbase opapi. Newer: acl_rt nnopbase opapi_nn opapi_math
#   aclquant_CANN_ROOT   the CANN installation; default $ENV{ASCEND_HOME_PATH}, then $ENV{ASCEND_TOOLKIT_HOME}
#
# Sets aclquant_LIBRARY_DIR and aclquant_INCLUDE_DIR, and with the component aclquant_CANN_LIBRARY_DIR.
get_filename_component(aclquant_LIBRARY_DIR "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
get_filename_component(aclquant_INCLUDE_DIR "${aclquant_LIBRARY_DIR}/../include" ABSOLUTE)
if(NOT DEFINED aclquant_LIBRARIES)
  set(aclquant_LIBRARIES ascendcl nnopbase opapi)
endif()

# Libraries by name, in a directory that CMake is not told of, so that the program gets no run path; each is kept, even if the linker drops
# unused ones by default and the other installation would need it.
function(_aclquant_add_target NAME INCLUDE_DIR LIBRARY_DIR)
  if(TARGET ${NAME})
    return()
  endif()
  add_library(${NAME} INTERFACE IMPORTED)
  list(TRANSFORM aclquant_LIBRARIES PREPEND "-l" OUTPUT_VARIABLE LINKS)
  list(JOIN LINKS " " LINKS)
  set_target_properties(${NAME} PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${INCLUDE_DIR}"
    INTERFACE_LINK_OPTIONS "-L${LIBRARY_DIR}"
    INTERFACE_LINK_LIBRARIES "-Wl,--push-state,--no-as-needed ${LINKS} -Wl,--pop-state")
endfunction()

_aclquant_add_target(aclquant::host_device "${aclquant_INCLUDE_DIR}" "${aclquant_LIBRARY_DIR}")

set(_aclquant_missing "")
foreach(_aclquant_component ${aclquant_FIND_COMPONENTS})
  set(_aclquant_why "there is no such component, only cann")
  if(_aclquant_component STREQUAL cann)
    set(_aclquant_root "${aclquant_CANN_ROOT}")
    foreach(_aclquant_variable ASCEND_HOME_PATH ASCEND_TOOLKIT_HOME)
      if(NOT _aclquant_root)
        set(_aclquant_root "$ENV{${_aclquant_variable}}")
      endif()
    endforeach()
    set(_aclquant_why "")
    if(NOT _aclquant_root)
      set(_aclquant_why "aclquant_CANN_ROOT, ASCEND_HOME_PATH and ASCEND_TOOLKIT_HOME are not set")
    elseif(NOT EXISTS "${_aclquant_root}/include/acl/acl.h")
      set(_aclquant_why "${_aclquant_root}/include/acl/acl.h is not there")
    endif()
    foreach(_aclquant_name ${aclquant_LIBRARIES})
      if(NOT _aclquant_why AND NOT EXISTS "${_aclquant_root}/lib64/lib${_aclquant_name}.so")
        set(_aclquant_why "${_aclquant_root}/lib64/lib${_aclquant_name}.so is not there")
      endif()
    endforeach()
    if(NOT _aclquant_why)
      set(aclquant_CANN_LIBRARY_DIR "${_aclquant_root}/lib64")
      _aclquant_add_target(aclquant::cann "${_aclquant_root}/include" "${aclquant_CANN_LIBRARY_DIR}")
      set(aclquant_cann_FOUND TRUE)
    endif()
  endif()
  if(_aclquant_why AND aclquant_FIND_REQUIRED_${_aclquant_component})
    string(APPEND _aclquant_missing " ${_aclquant_component}: ${_aclquant_why}.")
  endif()
endforeach()
if(_aclquant_missing)
  set(aclquant_FOUND FALSE)
  set(aclquant_NOT_FOUND_MESSAGE "Components of aclquant are missing.${_aclquant_missing}")
endif()
