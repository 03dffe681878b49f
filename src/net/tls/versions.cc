#include "bellwether/net/versions.h"

#include <event2/event.h>
#include <openssl/crypto.h>

namespace bellwether::net {

std::string openssl_version() { return OpenSSL_version(OPENSSL_VERSION); }
std::string libevent_version() { return event_get_version(); }

}  // namespace bellwether::net
