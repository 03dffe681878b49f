#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace bellwether {

// Bytes on their way: appended at the end, used up from the front. Owns no memory worth naming while it is empty and
// has been released. Its users keep it within their limits.
class ByteQueue {
 public:
  [[nodiscard]] std::string_view view() const { return std::string_view(data_).substr(begin_); }
  [[nodiscard]] std::size_t size() const { return data_.size() - begin_; }
  [[nodiscard]] bool empty() const { return begin_ == data_.size(); }

  void append(std::string_view bytes) { room() += bytes; }
  // For those who append to a string. What is there already must stay.
  [[nodiscard]] std::string& room() {
    if (begin_ > 0 && begin_ >= data_.size() / 2) {
      data_.erase(0, begin_);
      begin_ = 0;
    }
    return data_;
  }
  void consume(std::size_t n) {
    begin_ += n;
    if (begin_ == data_.size()) clear();
  }
  void clear() {
    data_.clear();
    begin_ = 0;
  }
  [[nodiscard]] std::size_t capacity() const { return data_.capacity(); }
  // Keeps only the memory that the bytes need.
  void shrink() {
    if (begin_ > 0) data_.erase(0, std::exchange(begin_, 0));
    data_.shrink_to_fit();
  }
  // Gives the memory back if it is more than an ordinary request takes.
  void release_if_big() {
    constexpr std::size_t kKept = 4096;
    if (empty() && data_.capacity() > kKept) std::string().swap(data_);
  }

 private:
  std::string data_;
  std::size_t begin_ = 0;
};

}  // namespace bellwether
