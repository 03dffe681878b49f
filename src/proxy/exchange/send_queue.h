#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace bellwether::proxy {

// A request on its way to a node: head, then body as framed for the node. Keeps what was sent, so that all can be sent
// again after a proof that it was not executed, until it is told to stop.
class SendQueue {
 public:
  // To append the head to; end_head() follows.
  [[nodiscard]] std::string& start() {
    data_.clear();
    sent_ = 0;
    keeps_ = true;
    dropped_ = false;
    return data_;
  }
  void end_head() { head_size_ = data_.size(); }
  // REQUIRES: can_rewind()
  [[nodiscard]] std::string_view head() const { return std::string_view(data_).substr(0, head_size_); }
  [[nodiscard]] std::string& tail() { return data_; }  // append only
  [[nodiscard]] std::string_view unsent() const { return std::string_view(data_).substr(sent_); }
  [[nodiscard]] std::size_t body_size() const { return data_.size() - head_size_; }  // REQUIRES: keeps()
  [[nodiscard]] bool keeps() const { return keeps_; }

  void mark_sent(std::size_t n) {
    sent_ += n;
    trim();
  }
  void stop_keeping() {
    keeps_ = false;
    trim();
  }
  [[nodiscard]] bool can_rewind() const { return !dropped_; }
  // REQUIRES: can_rewind()
  void rewind() { sent_ = 0; }
  // REQUIRES: can_rewind(), nothing sent since
  void replace_head(std::string_view head) {
    data_.replace(0, head_size_, head);
    head_size_ = head.size();
  }
  [[nodiscard]] std::size_t capacity() const { return data_.capacity(); }
  void shrink() { data_.shrink_to_fit(); }
  // Gives the memory back if all has been sent and is not kept, and it is more than an ordinary request takes.
  void release_if_big() {
    const bool is_spent = !keeps_ && sent_ == data_.size();
    if (!is_spent || data_.capacity() <= kKept) return;
    dropped_ = dropped_ || sent_ > 0;
    std::string().swap(data_);
    sent_ = 0;
  }
  void reset() {
    data_.clear();
    if (data_.capacity() > kKept) std::string().swap(data_);
    sent_ = head_size_ = 0;
  }

 private:
  static constexpr std::size_t kKept = 4096;

  void trim() {
    if (keeps_ || sent_ == 0 || sent_ < data_.size() / 2) return;
    data_.erase(0, sent_);
    sent_ = 0;
    if (!std::exchange(dropped_, true)) data_.shrink_to_fit();  // it kept more than it will need from here on
  }

  std::string data_;
  std::size_t head_size_ = 0;
  std::size_t sent_ = 0;
  bool keeps_ = true;
  bool dropped_ = false;
};

}  // namespace bellwether::proxy
