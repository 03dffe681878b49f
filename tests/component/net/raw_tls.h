#pragma once

#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "catch.hpp"
#include "component/net/stream_pair.h"

namespace bellwether::net::testing {

// A TLS peer by hand, on a thread of its own with a blocking socket: it can prepare records that no library sends, and
// send them at once. Either side of TLS; `fd` is its own.
class RawTls {
 public:
  enum class Side : std::uint8_t { kClient, kServer };

  RawTls(Side side, int fd, std::function<void(RawTls&)> script, int version = TLS1_3_VERSION) : fd_(fd) {
    set_blocking(true);
    const bool is_client = side == Side::kClient;
    context_.reset(SSL_CTX_new(is_client ? TLS_client_method() : TLS_server_method()));
    SSL_CTX_set_max_proto_version(context_.get(), version);
    if (!is_client) {
      SSL_CTX_use_certificate_chain_file(context_.get(), cert("server.pem").c_str());
      SSL_CTX_use_PrivateKey_file(context_.get(), cert("server.key").c_str(), SSL_FILETYPE_PEM);
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd);
    is_client ? SSL_set_connect_state(ssl_.get()) : SSL_set_accept_state(ssl_.get());
    thread_ = std::thread([this, script = std::move(script)] { script(*this); });
  }
  ~RawTls() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ssl_.reset();
    ::close(fd_);
  }
  RawTls(const RawTls&) = delete;
  RawTls& operator=(const RawTls&) = delete;

  bool handshake() { return SSL_do_handshake(ssl_.get()) == 1; }
  bool say(const std::string& text) { return SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) > 0; }
  std::string hear() {
    std::string bytes(16 * 1024, '\0');
    const int n = SSL_read(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    return bytes.substr(0, static_cast<std::size_t>(std::max(n, 0)));
  }
  // What `make` writes, as bytes not sent yet. Nothing may be sent by TLS afterwards but by send().
  std::string prepare(const std::function<void(SSL*)>& make) {
    BIO* memory = BIO_new(BIO_s_mem());
    SSL_set0_wbio(ssl_.get(), memory);
    set_blocking(false);  // it may want to read, and would wait
    make(ssl_.get());
    set_blocking(true);
    const char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    return {data, static_cast<std::size_t>(size)};
  }
  // False: the other side has ended the connection.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  // Reads beneath TLS: what comes is not looked at.
  void wait_for_end() {
    std::string bytes(16 * 1024, '\0');
    while (::recv(fd_, bytes.data(), bytes.size(), 0) > 0) heard_ = true;
  }
  [[nodiscard]] bool heard() const { return heard_; }
  // Ends the connection by a reset; the descriptor stays.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::dup2(unconnected_.fd(), fd_);
  }

  static void update_keys(SSL* ssl) {
    SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(ssl);
  }
  static void give_ticket(SSL* ssl) {
    if (SSL_new_session_ticket(ssl) == 1) SSL_do_handshake(ssl);
  }
  static void ask_to_renegotiate(SSL* ssl) {
    SSL_renegotiate(ssl);
    SSL_do_handshake(ssl);
  }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  void set_blocking(bool on) const {
    const int flags = ::fcntl(fd_, F_GETFL);
    ::fcntl(fd_, F_SETFL, on ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
  }

  int fd_;
  Socket unconnected_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::atomic<bool> heard_ = false;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  std::thread thread_;
};

}  // namespace bellwether::net::testing
