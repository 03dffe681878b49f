#include "tls_records.h"

#include <openssl/bio.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace bellwether::net {

namespace {

struct MethodFree {
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};

TlsRecords& records_of(BIO* bio) { return *static_cast<TlsRecords*>(BIO_get_data(bio)); }

template <typename Call>
long again_if_interrupted(Call call) {
  ssize_t n = 0;
  do {
    n = call();
  } while (n < 0 && errno == EINTR);
  return n;
}

}  // namespace

const BIO_METHOD* TlsRecords::method() {
  static const std::unique_ptr<BIO_METHOD, MethodFree> only = [] {
    std::unique_ptr<BIO_METHOD, MethodFree> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "TLS records of a socket"));
    if (!made) return made;
    BIO_meth_set_read(made.get(), &TlsRecords::on_read);
    BIO_meth_set_write(made.get(), &TlsRecords::on_write);
    BIO_meth_set_ctrl(made.get(), &TlsRecords::on_control);
    return made;
  }();
  return only.get();
}

BIO* TlsRecords::new_bio() {
  if (method() == nullptr) return nullptr;
  BIO* bio = BIO_new(method());
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  return bio;
}

int TlsRecords::on_read(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  const long n = records_of(bio).read({into, static_cast<std::size_t>(size)});
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
  return static_cast<int>(n);
}

int TlsRecords::on_write(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  const int fd = records_of(bio).fd_;
  const long n = again_if_interrupted([&] { return ::send(fd, from, static_cast<std::size_t>(size), MSG_NOSIGNAL); });
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

long TlsRecords::on_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  return command == BIO_CTRL_EOF && records_of(bio).ended_ ? 1 : 0;
}

long TlsRecords::read(std::span<char> into) {
  const bool between_records = header_bytes_ == 0 && body_left_ == 0;
  if (between_records && completed_ >= most_) {
    errno = EAGAIN;
    return -1;
  }
  long n = 0;
  if (ahead_begin_ < ahead_.size()) {
    n = static_cast<long>(std::min(into.size(), ahead_.size() - ahead_begin_));
    std::memcpy(into.data(), ahead_.data() + ahead_begin_, static_cast<std::size_t>(n));
    ahead_begin_ += static_cast<std::size_t>(n);
    if (ahead_begin_ == ahead_.size()) {
      std::string().swap(ahead_);
      ahead_begin_ = 0;
    }
  } else {
    n = receive(into);
  }
  if (n > 0) follow(into.first(static_cast<std::size_t>(n)));
  return n;
}

long TlsRecords::receive(std::span<char> into) {
  std::array<char, kAhead> more;
  const bool is_bulk = into.size() >= kAhead;
  std::array<iovec, 2> parts{{{into.data(), into.size()}, {more.data(), is_bulk ? kHeader : more.size()}}};
  const long n = again_if_interrupted([&] { return ::readv(fd_, parts.data(), static_cast<int>(parts.size())); });
  ended_ = n == 0;
  ran_dry_ = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  const long surplus = n - static_cast<long>(into.size());
  if (surplus <= 0) return n;
  ahead_.assign(more.data(), static_cast<std::size_t>(surplus));
  return static_cast<long>(into.size());
}

// Keeps count of where records begin and end.
void TlsRecords::follow(std::span<const char> given) {
  while (!given.empty()) {
    if (body_left_ > 0) {
      const std::size_t part = std::min(body_left_, given.size());
      given = given.subspan(part);
      body_left_ -= part;
      if (body_left_ == 0) ++completed_;
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(given.front());
    given = given.subspan(1);
    if (++header_bytes_ == kHeader - 1) length_high_ = byte;
    if (header_bytes_ < kHeader) continue;
    header_bytes_ = 0;
    body_left_ = static_cast<std::size_t>(length_high_ << 8U) + byte;
    if (body_left_ == 0) ++completed_;
  }
}

}  // namespace bellwether::net
