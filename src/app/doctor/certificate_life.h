#pragma once

#include <optional>

#include "bellwether/net/validity.h"
#include "examined.h"

namespace bellwether::app {

[[nodiscard]] inline std::optional<CertificateLife> life_of(const std::optional<net::Validity>& validity,
                                                            WallTime now) {
  if (!validity) return std::nullopt;
  return CertificateLife{validity->end - now, validity->end - validity->begin};
}

}  // namespace bellwether::app
