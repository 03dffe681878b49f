#include "certificate_look.h"

#include "certificate_life.h"

namespace bellwether::app {

void CertificateLook::on_open() {
  is_done_ = true;
  life_ = life_of(net::validity_of(stream_->peer_certificate()), std::chrono::system_clock::now());
  stream_->close();
}

}  // namespace bellwether::app
