#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/net/tls.h"
#include "server_names.h"

namespace bellwether::net {

struct SslContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextFree>;

// The certificates that a server context has beside its own, and who gets which. All else (trust, versions, keys of
// tickets) is the one context's: a connection takes a certificate and its key and nothing more, so that the name that a
// client asks for decides nothing but what it is shown. Owned by its TlsContext; used by all threads once it is made.
class TlsContext::MoreCertificates {
 public:
  struct Entry {
    std::string file;
    SslContext context;  // holds the certificate, its chain and its key
  };

  // What `own` shows is the first: for its own names, and for all that no certificate has.
  MoreCertificates(const SSL_CTX* own, std::string own_file);
  // An error, which names both files, if clients would never be shown it: other certificates have all its names.
  [[nodiscard]] Result<void> add(std::string file, SslContext context);
  // From now on `own` chooses by name.
  void begin(SSL_CTX* own);

  [[nodiscard]] const std::vector<Entry>& all() const { return entries_; }

 private:
  static int on_certificate(SSL* ssl, void* self);

  std::string own_file_;
  std::vector<Entry> entries_;
  ServerNames names_;  // 0 is the context's own, others are one more than their place in entries_
};

}  // namespace bellwether::net
