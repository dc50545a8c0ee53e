# Runs recovery tests over SoftHSM with jemalloc in place of the C library's allocator.
if(NOT EXISTS "${JEMALLOC}")
  message("skipped: libjemalloc.so.2 is not installed")
  return()
endif()
if(SANITIZE)
  message("skipped: the sanitizers bring an allocator of their own")
  return()
endif()
execute_process(
  COMMAND ${CMAKE_COMMAND} -E env LD_PRELOAD=${JEMALLOC} ${PROGRAM} --gtest_filter=SoftHsm.SignsAgainAfterAReset
  COMMAND_ERROR_IS_FATAL ANY)
