#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "catch.hpp"
#include "component/net/stream_pair.h"

namespace bellwether::net::testing {

// A client certificate of the test CA that ends in a moment, with its key in the same file. Removed at the end.
class ShortLivedCertificate {
 public:
  explicit ShortLivedCertificate(long seconds)
      : file_(std::filesystem::temp_directory_path() / ("bellwether-short-" + std::to_string(::getpid()) + ".pem")) {
    const Owned<FILE> ca_file(std::fopen(cert("ca.pem").c_str(), "r"));
    const Owned<FILE> ca_key_file(std::fopen(cert("ca.key").c_str(), "r"));
    const Owned<X509> ca(PEM_read_X509(ca_file.get(), nullptr, nullptr, nullptr));
    const Owned<EVP_PKEY> ca_key(PEM_read_PrivateKey(ca_key_file.get(), nullptr, nullptr, nullptr));
    const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
    const Owned<X509> made(X509_new());
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 4711);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), seconds);
    X509_set_pubkey(made.get(), key.get());
    const std::string name = "short";
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(made.get(), X509_get_subject_name(ca.get()));
    REQUIRE(X509_sign(made.get(), ca_key.get(), EVP_sha256()) > 0);
    const Owned<FILE> out(std::fopen(file_.c_str(), "w"));
    REQUIRE(PEM_write_X509(out.get(), made.get()) == 1);
    REQUIRE(PEM_write_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  }
  ~ShortLivedCertificate() { std::filesystem::remove(file_); }
  ShortLivedCertificate(const ShortLivedCertificate&) = delete;
  ShortLivedCertificate& operator=(const ShortLivedCertificate&) = delete;
  [[nodiscard]] std::string file() const { return file_.string(); }

 private:
  struct Free {
    void operator()(FILE* file) const { std::fclose(file); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  template <typename T>
  using Owned = std::unique_ptr<T, Free>;

  std::filesystem::path file_;
};

}  // namespace bellwether::net::testing
