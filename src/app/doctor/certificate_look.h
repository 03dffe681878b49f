#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/net/stream.h"
#include "examined.h"

namespace bellwether::app {

// One TLS connection to a node for the sake of the certificate that it shows, and that was verified. Nothing is said
// but the handshake. The stream's own deadline ends it.
class CertificateLook final : net::StreamHandler {
 public:
  CertificateLook(net::Loop& loop, const net::Address& address, net::ConnectOptions options)
      : stream_(net::Stream::connect(loop, address, std::move(options), *this)) {}

  [[nodiscard]] bool is_done() const { return is_done_; }
  [[nodiscard]] const std::optional<CertificateLife>& life() const { return life_; }
  [[nodiscard]] const std::vector<std::string>& dns_names() const { return dns_names_; }

 private:
  void on_open() override;
  void on_readable() override {}
  void on_writable() override {}
  void on_broken(Error) override { is_done_ = true; }  // the exchange beside this says why

  bool is_done_ = false;
  std::optional<CertificateLife> life_;
  std::vector<std::string> dns_names_;
  std::unique_ptr<net::Stream> stream_;
};

}  // namespace bellwether::app
