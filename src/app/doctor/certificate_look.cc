#include "certificate_look.h"

#include "certificate_life.h"

namespace bellwether::app {

void CertificateLook::on_open() {
  is_done_ = true;
  const std::string shown = stream_->peer_certificate();
  life_ = life_of(net::validity_of(shown), std::chrono::system_clock::now());
  dns_names_ = net::dns_names_of(shown);
  stream_->close();
}

}  // namespace bellwether::app
