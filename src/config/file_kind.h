#pragma once

#include <string>
#include <string_view>

namespace bellwether::config {

// What a file is that is not JSON, with the way out, for one who has taken the wrong file: "this is HAProxy's
// configuration ...". Empty: it begins like JSON, or nothing is known of it.
[[nodiscard]] std::string name_other_format(std::string_view text);

}  // namespace bellwether::config
