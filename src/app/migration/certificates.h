#pragma once

#include <string>

#include "context.h"

namespace bellwether::app::migration {

// What a `bind` line says by `crt` and `crt-list`, as the JSON of tls_cert: files, or directories, whose files are
// listed. A key beside its certificate (FILE.key) is named. Empty: nothing that could be found.
[[nodiscard]] std::string certificates_of(const Line& line, const Parameters& parameters, Context& context);

}  // namespace bellwether::app::migration
