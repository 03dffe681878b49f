#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bellwether/base/time.h"
#include "bellwether/net/background.h"
#include "bellwether/net/loop.h"

namespace bellwether::app {

// Looks at a file again and again, on a thread of its own, for its file system may hang. Control thread.
class FileWatch {
 public:
  // `on_change` is called once the file has been the same in two looks, `interval` apart, and is another one than when
  // it was called last: a file that is being written is not read half-way. The first time it is called for the file as
  // it is, since that may have changed after it was read.
  FileWatch(net::Loop& loop, std::string file, Duration interval, std::function<void()> on_change);
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

 private:
  void look();
  void on_stamp(const std::string& now);

  const std::vector<std::string> files_;
  const Duration interval_;
  const std::function<void()> on_change_;
  std::string seen_;  // in the last look (file_stamp.h)
  std::string told_;  // when on_change was called last
  net::Timer timer_;
  net::Background background_;
};

}  // namespace bellwether::app
