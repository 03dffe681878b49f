#pragma once

#include <string_view>

namespace bellwether::admin {

// page.html, built in.
extern const std::string_view kPage;

}  // namespace bellwether::admin
