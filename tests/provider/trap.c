/* A shared object that leaves a trace when somebody loads it: the file that HSMTLS_TEST_TRAP names. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void spring(void) {
  const char* file = getenv("HSMTLS_TEST_TRAP");
  if (file != NULL) (void)close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}
