#What somebody who needs a newer version writes.
find_package(hsmtls 0.2 REQUIRED)
