#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

struct bio_st;
struct bio_method_st;

namespace bellwether::net {

// The socket beneath one TLS connection, as the BIO that OpenSSL reads from and writes to. It reads ahead, so that a
// record costs one call of the kernel; and it hands over a limited number of records in each call into OpenSSL, which
// by itself goes on for as long as a peer sends records without application data. Owned by the TlsSession, outlives
// the SSL. Does not own the descriptor. Writes never raise SIGPIPE.
class TlsRecords {
 public:
  explicit TlsRecords(int fd) : fd_(fd) {}
  TlsRecords(const TlsRecords&) = delete;
  TlsRecords& operator=(const TlsRecords&) = delete;

  // A new BIO over this object, for SSL_set_bio. Null without memory.
  [[nodiscard]] bio_st* new_bio();

  // Before each call into OpenSSL: it gets no more than that many records.
  void begin_call(int most_records) {
    most_ = most_records;
    completed_ = 0;
    ran_dry_ = false;
  }
  // Of that call: records that OpenSSL got the last byte of.
  [[nodiscard]] int completed() const { return completed_; }
  // OpenSSL asked for more than the socket had. If it did not, and yet wants to read, there may be more to read now.
  [[nodiscard]] bool ran_dry() const { return ran_dry_; }

 private:
  static constexpr std::size_t kHeader = 5;  // RFC 8446 section 5.1: type, version, length
  // What is read beyond what OpenSSL asked for: ordinary requests and answers whole, of a bulk transfer the next
  // record's header only, since what is read ahead is copied once more.
  static constexpr std::size_t kAhead = 4096;

  static const bio_method_st* method();
  static int on_read(bio_st* bio, char* into, int size);
  static int on_write(bio_st* bio, const char* from, int size);
  static long on_control(bio_st* bio, int command, long number, void* pointer);

  [[nodiscard]] long read(std::span<char> into);
  [[nodiscard]] long receive(std::span<char> into);
  void follow(std::span<const char> given);

  int fd_;
  std::string ahead_;            // read from the socket, not given to OpenSSL yet
  std::size_t ahead_begin_ = 0;  // of `ahead_`
  std::size_t header_bytes_ = 0;
  std::size_t body_left_ = 0;  // of the record that is being handed over
  std::uint8_t length_high_ = 0;
  int most_ = 0;
  int completed_ = 0;
  bool ran_dry_ = false;
  bool ended_ = false;
};

}  // namespace bellwether::net
