#pragma once

#include <string>

namespace bellwether::testing {

// The checkout that the tests were built from, without a final slash.
[[nodiscard]] const std::string& source_dir();
// A file of the certificates that the build has made (tests/support/make_certs.sh): "ca.pem", "common.key", ...
[[nodiscard]] std::string cert_path(const std::string& file);

}  // namespace bellwether::testing
