#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "bellwether/base/assert.h"
#include "bellwether/net/tls.h"
#include "more_certificates.h"
#include "net/loop/system.h"
#include "tls_lifetime.h"
#include "tls_session.h"
#include "tls_text.h"
#include "tls_tickets.h"

namespace bellwether::net {

namespace fs = std::filesystem;

namespace {

tl::unexpected<Error> cannot(std::string_view what, const std::string& file) {
  return fail(ErrorKind::kInvalid, fmt::format("{} {}: {}", what, file, take_openssl_error()));
}

Result<void> check_readable(std::string_view what, const std::string& file) {
  if (::access(file.c_str(), R_OK) == 0) return {};
  return fail(ErrorKind::kInvalid, fmt::format("{} {}: {}", what, file, describe_errno(errno)));
}

// A daemon has nobody to ask for a passphrase.
int no_passphrase(char*, int, int, void*) { return 0; }

// By the first of the errors: what follows it says no more than that reading failed.
bool is_no_pem_key(unsigned long code) {
  const bool is_no_pem = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
  return is_no_pem || (ERR_GET_LIB(code) == ERR_LIB_OSSL_DECODER && ERR_GET_REASON(code) == ERR_R_UNSUPPORTED);
}

// `option`: of the key's file, for the text.
Result<void> load_certificate(SSL_CTX* context, const std::string& cert_file, const std::string& key_option,
                              std::string_view option) {
  const std::string& key_file = key_option.empty() ? cert_file : key_option;
  if (auto ok = check_readable("the certificate", cert_file); !ok) return ok;
  if (auto ok = check_readable("the key", key_file); !ok) return ok;
  SSL_CTX_set_default_passwd_cb(context, &no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context, cert_file.c_str()) != 1) {
    return cannot("cannot read the certificate", cert_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    const bool is_missing = is_no_pem_key(ERR_peek_error());
    if (is_missing) ERR_clear_error();
    if (is_missing && key_option.empty()) {
      return fail(
          ErrorKind::kInvalid,
          fmt::format("the certificate {} comes without its key: name the key's file with {}", cert_file, option));
    }
    if (is_missing)
      return fail(ErrorKind::kInvalid, fmt::format("{}: there is no PEM private key in {}", option, key_file));
    return cannot("cannot use the key (it must be PEM without a passphrase, and belong to the certificate)", key_file);
  }
  if (SSL_CTX_check_private_key(context) != 1) return cannot("the key does not belong to the certificate", key_file);
  return {};
}

// OpenSSL works out a certificate's extensions when it first needs them. Threads share the store, so now is better:
// only one has it yet.
void read_extensions(SSL_CTX* context) {
  const STACK_OF(X509_OBJECT)* all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
  for (int i = 0; i < sk_X509_OBJECT_num(all); ++i) {
    if (X509* each = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i))) X509_check_purpose(each, -1, 0);
  }
}

// All of it now: OpenSSL's own lookup reads the directory during handshakes, on the loop that would hang with it.
// Files that hold no certificate are passed over.
Result<void> load_trust_directory(SSL_CTX* context, const std::string& ca_path) {
  std::error_code failed;
  bool any = false;
  for (fs::directory_iterator entry(ca_path, failed), end; !failed && entry != end; entry.increment(failed)) {
    std::error_code unreadable;
    if (!entry->is_regular_file(unreadable)) continue;
    any = SSL_CTX_load_verify_file(context, entry->path().c_str()) == 1 || any;
  }
  ERR_clear_error();
  if (failed) return fail(ErrorKind::kInvalid, fmt::format("the CA directory {}: {}", ca_path, failed.message()));
  if (!any) return fail(ErrorKind::kInvalid, fmt::format("the CA directory {} holds no PEM certificate", ca_path));
  return {};
}

Result<void> load_trust(SSL_CTX* context, const std::string& ca_file, const std::string& ca_path) {
  // As Go does: whatever the operator put into the CA file is trusted, an intermediate too.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  if (ca_file.empty() && ca_path.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) return cannot("cannot use", "the system's CA certificates");
    return {};
  }
  if (!ca_file.empty()) {
    if (auto ok = check_readable("the CA file", ca_file); !ok) return ok;
    if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) return cannot("cannot read the CA file", ca_file);
  }
  if (!ca_path.empty()) {
    if (auto ok = check_readable("the CA directory", ca_path); !ok) return ok;
    if (auto ok = load_trust_directory(context, ca_path); !ok) return ok;
  }
  return {};
}

void set_common(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // OpenSSL would read on for as long as records come that hold no data. TlsRecords reads ahead in its place.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
}

// RFC 7301 section 3.1: each name behind its length.
Result<std::string> alpn_wire(const std::vector<std::string>& names) {
  std::string wire;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > 255) {
      return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is not an ALPN protocol name", name));
    }
    wire += static_cast<char>(name.size());
    wire += name;
  }
  return wire;
}

const unsigned char* bytes_of(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

TlsContext::TlsContext(Private) {}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Result<std::shared_ptr<TlsContext>> TlsContext::new_client(bool verify, std::string alpn, Duration ticket_lifetime) {
  auto out = std::make_shared<TlsContext>(Private{});
  ERR_clear_error();
  SSL_CTX* const context = out->context_ = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return cannot("cannot create", "a TLS context");
  set_common(context);
  out->verify_ = verify;
  out->ticket_lifetime_ = ticket_lifetime;
  SSL_CTX_set_verify(context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!alpn.empty()) SSL_CTX_set_alpn_protos(context, bytes_of(alpn), static_cast<unsigned>(alpn.size()));
  out->alpn_ = std::move(alpn);

  out->tickets_ = std::make_unique<Tickets>();
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* session) {
    static_cast<TlsSession*>(SSL_get_app_data(ssl))->keep_ticket(session);
    return 1;  // the session is ours now
  });
  return out;
}

Result<std::shared_ptr<TlsContext>> TlsContext::client(const TlsClientOptions& options) {
  auto alpn = alpn_wire(options.alpn);
  if (!alpn) return tl::unexpected(alpn.error());
  auto out = new_client(options.verify, std::move(*alpn), options.ticket_lifetime);
  if (!out) return out;
  SSL_CTX* const context = (*out)->context_;
  if (options.verify) {
    if (auto ok = load_trust(context, options.ca_file, options.ca_path); !ok) return tl::unexpected(ok.error());
    read_extensions(context);
  }
  if (!options.cert_file.empty()) {
    if (auto ok = load_certificate(context, options.cert_file, options.key_file, "client_key"); !ok) {
      return tl::unexpected(ok.error());
    }
    (*out)->cert_file_ = options.cert_file;
  }
  return out;
}

Result<std::shared_ptr<TlsContext>> TlsContext::twin() const {
  BW_ASSERT(tickets_ != nullptr);
  auto out = new_client(verify_, alpn_, ticket_lifetime_);
  if (!out) return out;
  SSL_CTX* const context = (*out)->context_;
  X509_VERIFY_PARAM_set1(SSL_CTX_get0_param(context), SSL_CTX_get0_param(context_));
  SSL_CTX_set1_cert_store(context, SSL_CTX_get_cert_store(context_));
  X509* const own = SSL_CTX_get0_certificate(context_);
  if (own == nullptr) return out;
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context_, &chain);
  if (SSL_CTX_use_cert_and_key(context, own, SSL_CTX_get0_privatekey(context_), chain, 1) != 1) {
    return cannot("cannot use", "the client certificate again");
  }
  return out;
}

Result<std::shared_ptr<TlsContext>> TlsContext::server(const TlsServerOptions& options) {
  auto out = std::make_shared<TlsContext>(Private{});
  ERR_clear_error();
  SSL_CTX* const context = out->context_ = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) return cannot("cannot create", "a TLS context");
  set_common(context);
  if (options.min_version == TlsVersion::k13) SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (auto ok = load_certificate(context, options.cert_file, options.key_file, "tls_key"); !ok)
    return tl::unexpected(ok.error());
  out->cert_file_ = options.cert_file;
  if (auto ok = out->add_certificates(options.more_certificates); !ok) return tl::unexpected(ok.error());

  // Stateless tickets, one per connection. Each connection has the id context without which resumption with client
  // certificates would be a fatal error (SSL_CTX_set_session_id_context(3)): TlsSession::server.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  out->ticket_lifetime_ = options.ticket_lifetime;
  limit_tickets(context, out->ticket_lifetime_);

  out->verify_ = !options.client_ca_file.empty();
  if (out->verify_) {
    if (auto ok = load_trust(context, options.client_ca_file, ""); !ok) return tl::unexpected(ok.error());
    read_extensions(context);
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(options.client_ca_file.c_str()));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (options.require_client_cert ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       nullptr);
  } else if (options.require_client_cert) {
    return fail(ErrorKind::kInvalid, "client certificates are required, but no CA file to verify them with is given");
  }
  auto alpn = alpn_wire(options.alpn);
  if (!alpn) return tl::unexpected(alpn.error());
  out->alpn_ = std::move(*alpn);
  SSL_CTX_set_alpn_select_cb(context, &TlsContext::select_alpn, &out->alpn_);
  return out;
}

Result<void> TlsContext::add_certificates(const std::vector<CertificateFiles>& files) {
  if (files.empty()) return {};
  more_ = std::make_unique<MoreCertificates>(context_, cert_file_);
  for (const CertificateFiles& each : files) {
    SslContext holder(SSL_CTX_new(TLS_server_method()));
    if (!holder) return cannot("cannot create", "a TLS context");
    if (auto ok = load_certificate(holder.get(), each.cert_file, each.key_file, "\"key\""); !ok) return ok;
    if (auto ok = more_->add(each.cert_file, std::move(holder)); !ok) return ok;
  }
  more_->begin(context_);
  return {};
}

int TlsContext::select_alpn(ssl_st*, const unsigned char** chosen, unsigned char* chosen_size,
                            const unsigned char* offered, unsigned offered_size, void* ours_as_void) {
  const auto& ours = *static_cast<const std::string*>(ours_as_void);
  unsigned char* out = nullptr;
  if (ours.empty()) return SSL_TLSEXT_ERR_NOACK;
  if (SSL_select_next_proto(&out, chosen_size, bytes_of(ours), static_cast<unsigned>(ours.size()), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 section 3.2
  }
  *chosen = out;
  return SSL_TLSEXT_ERR_OK;
}

std::optional<WallTime> TlsContext::not_after() const {
  std::optional<WallTime> first = not_after_of(SSL_CTX_get0_certificate(context_));
  if (!first || !more_) return first;
  for (const MoreCertificates::Entry& each : more_->all()) {
    first = std::min(*first, not_after_of(SSL_CTX_get0_certificate(each.context.get())).value_or(*first));
  }
  return first;
}

}  // namespace bellwether::net
