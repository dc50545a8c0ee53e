# How others find what is installed: find_package(hsmtls) gives hsmtls::hsmtls, pkg-config knows hsmtls. Both work
# wherever the prefix is moved to.
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/hsmtls)
set(pkgconfig_folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(DIRECTORY core/include/hsmtls DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")

# The libraries depend on nothing that a user would have to find: the exported targets are the whole package.
install(EXPORT hsmtls FILE hsmtlsConfig.cmake NAMESPACE hsmtls:: DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hsmtlsConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hsmtlsConfigVersion.cmake DESTINATION ${package_folder})

string(REGEX REPLACE "[^/]+" ".." HSMTLS_UP_TO_PREFIX "${pkgconfig_folder}")
configure_file(cmake/hsmtls.pc.in hsmtls.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/hsmtls.pc DESTINATION ${pkgconfig_folder})
