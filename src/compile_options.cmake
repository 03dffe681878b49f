# Warnings, hardening and sanitizers, as one interface target that every module links.
add_library(bellwether_options INTERFACE)
target_compile_options(bellwether_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wold-style-cast -Wswitch-enum -Wnon-virtual-dtor -Woverloaded-virtual)
if(BELLWETHER_WERROR)
  target_compile_options(bellwether_options INTERFACE -Werror)
endif()

if(BELLWETHER_SANITIZE)
  # g++ 12 sees uninitialised variants and optionals in its own instrumentation; the release build keeps the warning.
  target_compile_options(bellwether_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_compile_options(bellwether_options INTERFACE -fsanitize=${BELLWETHER_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(bellwether_options INTERFACE -fsanitize=${BELLWETHER_SANITIZE})
  if(BELLWETHER_SANITIZE MATCHES "undefined")
    target_compile_options(bellwether_options INTERFACE -fno-sanitize-recover=undefined)
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(bellwether_options INTERFACE
    -fstack-protector-strong -fstack-clash-protection -fcf-protection -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS)
  target_link_options(bellwether_options INTERFACE -Wl,-z,relro,-z,now)
  # The same bits wherever the tree lies: no path of this machine is in them. ccache may name sources relatively.
  file(RELATIVE_PATH from_build ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR}/)
  target_compile_options(bellwether_options INTERFACE
    -ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -ffile-prefix-map=${from_build}=)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
endif()
