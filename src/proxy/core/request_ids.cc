#include "request_ids.h"

#include <fmt/format.h>

#include <random>

namespace bellwether::proxy {

RequestIds::RequestIds() : beginning_(std::random_device{}()) {}

std::string RequestIds::next() { return fmt::format("{:08x}-{}", beginning_, ++count_); }

}  // namespace bellwether::proxy
