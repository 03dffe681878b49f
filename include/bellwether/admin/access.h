#pragma once

#include <string>
#include <vector>

namespace bellwether::admin {

// Whom the admin address answers; the control socket answers whoever may open it.
struct AccessOptions {
  // Names of ours, in lower case, that a request's Host may have beside IP addresses and localhost. A page of another
  // site whose name was made to resolve to us (DNS rebinding) has that site's name there.
  std::vector<std::string> hosts;
  std::string token;  // what a client must know; empty: nothing
};

}  // namespace bellwether::admin
