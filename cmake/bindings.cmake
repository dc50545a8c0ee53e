# HSMTLS_PYTHON, HSMTLS_NODE, HSMTLS_DOTNET: AUTO builds the package of a language when its tools are found, and says
# what is missing otherwise; ON insists; OFF leaves it out.
foreach(language PYTHON NODE DOTNET)
  set(HSMTLS_${language} AUTO CACHE STRING "Build the package for ${language}: AUTO, ON or OFF")
  set_property(CACHE HSMTLS_${language} PROPERTY STRINGS AUTO ON OFF)
endforeach()

# All packages that are built here.
add_custom_target(hsmtls_packages)

# hsmtls_binding_is_wanted(RESULT LANGUAGE MISSING…): whether to build it, given the names of the tools that it needs and
# that were not found.
function(hsmtls_binding_is_wanted result language)
  set(${result} FALSE PARENT_SCOPE)
  if(HSMTLS_${language} STREQUAL "OFF")
    return()
  endif()
  list(JOIN ARGN ", " missing)
  if(missing STREQUAL "")
    set(${result} TRUE PARENT_SCOPE)
  elseif(HSMTLS_${language} STREQUAL "AUTO")
    message(STATUS "${language}: left out, there is no ${missing}")
  else()
    message(FATAL_ERROR "HSMTLS_${language} is ${HSMTLS_${language}}, but there is no ${missing}")
  endif()
endfunction()
