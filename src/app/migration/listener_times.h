#pragma once

#include "context.h"

namespace bellwether::app::migration {

// How long clients and nodes may be silent, from the section's `timeout client` and `http-request` and the backend's
// `timeout server`.
void add_listener_times(const Section& section, bool is_http, Context& context, Listener& listener);

}  // namespace bellwether::app::migration
